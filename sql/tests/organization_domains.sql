-- Domains, and what hangs on them.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(28);
\ir support/cast.sql

-- Ada owns Acme, whose acme.example the operator vouched for; Ben joined by an address in it.

select is(test.each($$ select app.claim_domain(test.acme(), 'more.example', repeat('a', 26), test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A domain is claimed by those who answer for the company.');
select is(test.each($$ select app.prove_domain(test.acme(), 'acme.example', '{}', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'And proved by them.');
select is(test.each($$ select app.release_domain(test.acme(), 'acme.example', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'And given back by them.');
select is(test.each($$ update app.domain_claim set proved_at = now() $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server proves no domain by itself.');
select is(test.each($$ select app.end_memberships_by(test.acme(), 'acme.example', now()) $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Memberships end with a domain, and for no other reason that the server has.');

-- What the job sees of claims and members (policies domain_claim_tended, member_tended).

select is(test.each('select organization_id from app.domain_claim', 'breathmaster_worker'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0',
  'Nobody has the job''s eyes outside of its functions.');
set local role breathmaster_worker;
do $$ begin
  perform set_config('app.tending', '2100-01-01Z', true), set_config('app.uid', test.ada()::text, true),
    set_config('app.organization_id', test.acme()::text, true);
end $$;
select is(test.rows('select organization_id from app.domain_claim'), 2::bigint, 'The job sees every company''s claims.');
select is(test.rows('select uid from app.member'), 2::bigint, 'The job sees the members of the company that it tends to, and no others.');
do $$ begin perform set_config('app.tending', '2000-01-01Z', true); end $$;
select is(test.rows('select organization_id from app.domain_claim'), 0::bigint, 'And of the claims those that were there by then.');
do $$ begin perform set_config('app.tending', '', true); end $$;
select is(test.rows('select uid from app.member'), 0::bigint, 'Out of its time the job sees nobody.');
reset role;

-- A claim is a wish; a proof is one company's.

call test.be(test.ada(), test.acme());
select app.claim_domain(test.acme(), 'cedar.example', repeat('a', 26), test.origin());
select app.claim_domain(test.acme(), 'cedar.example', repeat('b', 26), test.origin());
select is((select token from app.domain_claim where domain = 'cedar.example'), repeat('a', 26),
  'Who claims again is told the same token.');
select is(app.prove_domain(test.acme(), 'cedar.example', array[repeat('b', 26)], test.origin()), false,
  'Another token proves nothing.');
select throws_ok($$ select app.prove_domain(test.acme(), 'oak.example', '{}', test.origin()) $$, 'BM404', 'no such claim',
  'What was not claimed is not proved.');
select throws_ok($$ select app.claim_domain(test.acme(), 'oak.example', 'guess', test.origin()) $$, '23514', null,
  'A token is one that nobody guesses.');
call test.be(test.eve(), test.umbrella());
select lives_ok($$ select app.claim_domain(test.umbrella(), 'cedar.example', repeat('c', 26), test.origin()) $$,
  'A claim keeps nobody else from claiming, and tells nothing.');
select ok(app.prove_domain(test.umbrella(), 'cedar.example', array['x', repeat('c', 26)], test.origin()),
  'The token among others proves it.');
call test.be(test.ada(), test.acme());
select throws_ok($$ select app.prove_domain(test.acme(), 'cedar.example', array[repeat('a', 26)], test.origin()) $$, '23505',
  'duplicate key value violates unique constraint "domain_claim_taken"', 'A domain is proved by one company.');
select ok(app.prove_domain(test.acme(), 'acme.example', '{}', test.origin()),
  'What the operator vouched for needs no record.');
reset role;

-- The job's look.

create function test.recheck(seen text[], at timestamptz) returns text language sql
  as $$ select app.recheck_domain(test.umbrella(), 'cedar.example', seen, row(gen_random_uuid(), 'server', at)::app.origin) $$;

call test.be_unbound();
select results_eq($$ select domain from app.domains_to_check('2026-03-07 11:59Z', 10) $$, array[]::text[],
  'A domain is looked at a day later.');
select results_eq($$ select domain from app.domains_to_check('2026-03-07 12:00Z', 10) $$, array['cedar.example'],
  'It is looked at then.');
select results_eq($$ select domain from app.domains_to_check('2026-03-07 12:01Z', 10) $$, array[]::text[],
  'And by one at a time.');
select is(
  array[test.recheck(null, '2026-03-08Z'), test.recheck('{}', '2026-03-09Z'), test.recheck(array[repeat('c', 26)], '2026-03-10Z'),
    test.recheck('{}', '2026-03-11Z'), test.recheck('{}', '2026-03-17 23:59Z'), test.recheck(null, '2026-03-30Z'),
    test.recheck('{}', '2026-03-31Z'), test.recheck('{}', '2026-04-01Z')],
  array['unanswered', 'lost', 'proved', 'lost', 'lost', 'unanswered', 'lapsed', 'gone'],
  'A record that is missing for seven days is lost for good; no answer is none.');
select is(app.recheck_domain(test.acme(), 'acme.example', '{}', test.origin()), 'gone',
  'What the operator vouched for is not looked for.');
reset role;

-- What hangs on a domain ends with it, but for an owner's membership.

update app.member set domain = 'acme.example' where uid = test.ada();
select is((select domain from app.member where uid = test.ben()), 'acme.example', 'A membership hangs on the domain by which it came.');
call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'Ada, Ben', 'Both are on the board.');
select ok(app.release_domain(test.acme(), 'acme.example', test.origin()), 'A domain is given back.');
select is(test.names_on('company'), 'Ada', 'In the same transaction who hung on it is off the board.');
select is(test.each($$ select app.claim_domain(test.acme(), 'acme.example', repeat('d', 26), test.origin()) $$),
  'herself 1, colleague BM404, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'And when it is claimed again they are no members.');

select * from finish();
rollback;
