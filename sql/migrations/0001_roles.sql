-- Who may do what in this database. Roles belong to the whole cluster, so one
-- that exists already (made by an operator, with a password) is left as it is.
--
--   breathmaster_owner    owns every table and function, migrates; never serves
--   breathmaster_api      the server; owns nothing, bypasses nothing
--   breathmaster_worker   background jobs; granted table by table when a job needs it
--   breathmaster_analyst  a group of people who read the schema analytics, and only that
--   breathmaster_boards   owns the leaderboard views: what these may read is what a
--                         board can show, so its column grants are the last word
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'breathmaster_owner') then
    create role breathmaster_owner nologin;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'breathmaster_api') then
    create role breathmaster_api login;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'breathmaster_worker') then
    create role breathmaster_worker login;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'breathmaster_analyst') then
    create role breathmaster_analyst nologin;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'breathmaster_boards') then
    create role breathmaster_boards nologin;
  end if;
end
$$;

-- Timeouts live with the role, so that no client can forget them.
alter role breathmaster_api set statement_timeout = '5s';
alter role breathmaster_api set lock_timeout = '2s';
alter role breathmaster_api set idle_in_transaction_session_timeout = '10s';
alter role breathmaster_worker set statement_timeout = '60s';
alter role breathmaster_worker set lock_timeout = '2s';
alter role breathmaster_worker set idle_in_transaction_session_timeout = '60s';
alter role breathmaster_analyst set statement_timeout = '60s';
alter role breathmaster_analyst set default_transaction_read_only = on;

-- Boards are handed over to the role that owns them. The owner may become that
-- role and inherits nothing from it: its own functions must not see what a board sees.
do $$
begin
  if (select rolinherit from pg_catalog.pg_roles where rolname = 'breathmaster_owner') then
    alter role breathmaster_owner noinherit;
  end if;
end
$$;
grant breathmaster_boards to breathmaster_owner;

do $$
begin
  execute format('grant create on database %I to breathmaster_owner', current_database());
end
$$;

create schema app authorization breathmaster_owner;
comment on schema app is 'Tables, policies and functions. Row security is forced on every table with a person or a tenant in it.';
grant usage on schema app to breathmaster_api, breathmaster_boards;

create schema board authorization breathmaster_owner;
comment on schema board is 'The leaderboards as views: one per scope, each with only its own metrics.';
grant usage on schema board to breathmaster_api;
grant create, usage on schema board to breathmaster_boards;

-- The server compares what is applied here with the files that it was given.
grant usage on schema migration to breathmaster_api;
grant select on migration.applied to breathmaster_api;
