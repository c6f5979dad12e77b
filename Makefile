# The flags, the order of things and what they need are in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run demo build test test-swift test-sql test-policies test-contract test-pages schema schema-check soak bench bench-leaderboards bench-pgclient docs docs-page format lint clean bench-directory

help: ## Say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1  \2/p' $(MAKEFILE_LIST)

run: ## Build and serve on http://127.0.0.1:8080, with a private Postgres and two demo companies
	@scripts/run

demo: ## Print fresh demo tokens for the server that runs
	@scripts/run demo

build: ## Build the server, optimised
	@scripts/install-packages run
	swift build --explicit-target-dependency-import-check error --configuration release --product breathmaster

test: ## Run every test: Swift, SQL, the policies one by one, the schema, the contract, the pages
	@scripts/test

test-swift: ## Run the Swift tests
	@scripts/test swift

test-sql: ## Run the SQL tests
	@scripts/test sql

test-policies: ## Drop, then open, each row security policy in turn and expect the SQL tests to notice
	@scripts/test policies

test-contract: ## Try a running server against openapi.yaml
	@scripts/test contract

test-pages: ## Go through the pages in a browser, at a desk and on a phone
	@scripts/test pages

schema: ## Write sql/schema.sql anew from the migrations
	@scripts/schema

schema-check: ## Fail when sql/schema.sql is stale
	@scripts/test schema

soak: ## Try merges on twenty times as many histories, boards in fifty towns instead of two, a hundred plans of what dies instead of four, a million reads by twelve tenants, and an hour of PGClient
	SOAK_HISTORIES=2000000 swift test --explicit-target-dependency-import-check error --filter 'Three devices|Two accounts'
	SOAK_TOWNS=50 SOAK_CRASHES=100 PGCLIENT_SOAK_READS=1000000 SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 \
	  TEST_DATABASE_URL="$$(scripts/private-postgres url --throwaway)" scripts/private-postgres with --throwaway \
	  swift test --explicit-target-dependency-import-check error --filter "BoardPropertyTests|CrashPropertyTests|Tenants that share"
	scripts/bench-pgclient --without-peers --soak 60

bench: ## Measure syncs over HTTP beside pgbench with the same statements, in one run
	@scripts/bench sync

bench-leaderboards: ## Measure leaderboards likewise, with a million people
	@scripts/bench leaderboards

bench-directory: ## Provision a company of fifty thousand by SCIM, and measure on the way
	@scripts/bench directory

bench-pgclient: ## Measure PGClient beside libpq, pgbench, psycopg and asyncpg, in one run
	@scripts/bench-pgclient

docs-page: ## Write the page at /docs anew from openapi.yaml
	@scripts/docs-page

docs: ## Write PGClient's documentation to .build-docs/PGClient.doccarchive
	@scripts/docs

format: ## Format the Swift code
	swift format --in-place --recursive --parallel Sources Tests Benchmarks/PGClient Package.swift Benchmarks/Package.swift

lint: ## Lint the Swift code, the scripts and the migrations; prove the policies' isolation
	@scripts/lint

clean: ## Delete what was built and the tests' Postgres; the private database of `make run` stays
	@scripts/private-postgres remove --throwaway
	rm -rf .build .build-docs Benchmarks/.build Benchmarks/*/.venv "$${BREATHMASTER_HOME:-.breathmaster}/tools"
