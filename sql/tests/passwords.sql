-- Passwords, those that are forgotten, and recovery codes.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(39);
\ir support/cast.sql

-- Ada has a password, has said that it is forgotten, and has a recovery code
-- (support/cast.sql).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended.

-- Passwords (policy password_self).

select is(test.each('select phc from app.password where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'What a password is recognised by is read for its person.');
select is(test.each($$ update app.password set set_at = now() where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A password is set for its person.');
select is(test.each('select phc from app.password where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s password and no other.');
select is(test.each($$ insert into app.password (uid, phc, set_at)
    values (test.frank(), '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g', now()) $$),
  'herself 42501, colleague 42501, friend 1, other company 42501, stranger 42501, unbound 42501',
  'Nobody is given a password by somebody else.');
call test.be(test.ada());
select throws_ok($$ delete from app.password $$, '42501', 'permission denied for table password',
  'A password is changed, and not taken away.');
select throws_ok($$ update app.password set uid = test.ben() $$, '42501', 'permission denied for table password',
  'A password goes to nobody else.');
select throws_ok($$ update app.password set phc = 'a quiet lake at dawn' $$, '23514',
  'new row for relation "password" violates check constraint "password_phc_check"', 'No password is kept as it is.');

-- The address that somebody names (policy email_claim_addressed).

reset role;
set local role breathmaster_worker;
select is_empty('select uid from app.email_claim', 'The worker sees no address unless one is named.');
do $$ begin perform set_config('app.addressed', 'ada@acme.example', true); end $$;
select results_eq('select uid, address from app.email_claim', $$ values (test.ada(), 'ada@acme.example') $$,
  'The worker sees whose the named address is, and no other.');
select throws_ok('delete from app.email_claim', '42501', 'permission denied for table email_claim',
  'The worker takes no address away.');
do $$ begin perform set_config('app.addressed', '', true); end $$;
reset role;

select results_eq($$ select found_uid, found_phc is not null, knows_source from app.password_by_email('ADA@acme.example', '192.0.2.0/24') $$,
  $$ values (test.ada(), true, false) $$, 'A password is found by its address, however it is written.');
select results_eq($$ select found_uid, found_phc, knows_source from app.password_by_email('nobody@acme.example', '192.0.2.0/24') $$,
  $$ values (null::uuid, null::text, false) $$, 'Of nobody there is none.');
select is(current_setting('app.uid'), '', 'Looking for a password binds nobody,');
select is(current_setting('app.addressed'), '', 'and leaves no address named.');
call test.be(test.ada());
insert into app.audit_event (uid, happened_at, action, request_id, source)
values (test.ada(), '2026-03-06 18:00Z', 'sign-in.begun', gen_random_uuid(), '192.0.2.0/24');
reset role;
select results_eq($$ select source, (select knows_source from app.password_by_email('ada@acme.example', source))
    from unnest(array['192.0.2.0/24', '198.51.100.0/24']) as s (source) $$,
  $$ values ('192.0.2.0/24', true), ('198.51.100.0/24', false) $$, 'It is known from where somebody has signed in.');

-- Passwords that are forgotten (policy password_reset_delivering).

select is(test.each('select from app.password_reset'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads nobody''s ask.');
select is(test.each('delete from app.password_reset'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server takes no ask away.');
select is(test.each('select from app.password_reset', 'breathmaster_worker'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The job sees no ask unless it is delivering.');
do $$ begin perform set_config('app.delivering', '2026-03-06 17:59Z', true); end $$;
set local role breathmaster_worker;
select is(test.rows('select from app.password_reset'), 0::bigint, 'The job sees nothing that was asked after its moment.');
select throws_ok($$ insert into app.password_reset (reset_id, address, seed, digest, asked_at, good_until)
    values (gen_random_uuid(), 'a@b.example', gen_random_uuid(), sha256('1'), '2026-03-06 18:00Z', '2026-03-06 18:00Z') $$,
  '42501', 'new row violates row-level security policy for table "password_reset"', 'Nothing is asked after the moment of asking.');
do $$ begin perform set_config('app.delivering', '2026-03-06 18:00Z', true); end $$;
select is(test.rows('select from app.password_reset'), 1::bigint, 'The job sees what was asked by its moment.');
reset role;
do $$ begin perform set_config('app.delivering', '', true), set_config('app.uid', '', true); end $$;

select is(app.enter_by_password_reset('5e5e5e5e-0000-4000-8000-000000000001', sha256('reset'), '2026-03-06 18:01Z'), null,
  'A code that was not mailed opens nothing.');
do $$ begin perform app.ask_password_reset(test.ben(), 'nobody@home.example', gen_random_uuid(), sha256('nobody'), '2026-03-06 18:00Z', '2026-03-06 18:10Z'); end $$;
select is(app.post_password_resets('2026-03-06 18:02Z'), 2, 'The job looks at each ask,');
select is(app.post_password_resets('2026-03-06 18:02Z'), 0, 'and at none of them again.');
select results_eq($$ select uid, recipient from app.outbox where kind = 'passwordReset' $$,
  $$ values (test.ada(), 'ada@acme.example') $$, 'Mail goes to those alone whose the address is.');
select is(app.enter_by_password_reset(test.ben(), sha256('nobody'), '2026-03-06 18:03Z'), null,
  'A code for nobody opens nothing.');
select is(app.enter_by_password_reset('5e5e5e5e-0000-4000-8000-000000000001', sha256('wrong'), '2026-03-06 18:03Z'), null, 'A wrong code opens nothing,');
select is(current_setting('app.uid'), '', 'and binds nobody.');
select is(app.enter_by_password_reset('5e5e5e5e-0000-4000-8000-000000000001', sha256('reset'), '2026-03-06 18:03Z'), test.ada(),
  'The code that was mailed lets its person in.');
select is(current_setting('app.uid'), test.ada()::text, 'The transaction is theirs then.');
select is(app.enter_by_password_reset('5e5e5e5e-0000-4000-8000-000000000001', sha256('reset'), '2026-03-06 18:03Z'), null, 'It does so once.');

create function test.reset(n integer) returns uuid language sql immutable as
$$ select ('5e5e5e5e-0000-4000-8000-00000000001' || n)::uuid $$;
do $$ begin
  perform app.ask_password_reset(test.reset(n), 'ada@acme.example', gen_random_uuid(), sha256('reset'), '2026-03-06 18:04Z', '2026-03-06 18:14Z')
  from generate_series(1, 3) as n;
  perform app.post_password_resets('2026-03-06 18:04Z');
  perform app.enter_by_password_reset(test.reset(1), sha256('wrong'), '2026-03-06 18:05Z') from generate_series(1, 5);
end $$;
select is(app.enter_by_password_reset(test.reset(1), sha256('reset'), '2026-03-06 18:05Z'), null,
  'After five wrong codes the right one opens nothing.');
select is(app.enter_by_password_reset(test.reset(2), sha256('reset'), '2026-03-06 18:14Z'), null, 'A code is over at its time,');
select is(app.enter_by_password_reset(test.reset(2), sha256('reset'), '2026-03-06 18:13Z'), test.ada(), 'and good until then.');
select is(app.enter_by_password_reset(test.reset(3), sha256('reset'), '2026-03-06 18:13Z'), null,
  'With one, those that were mailed beside it are spent.');

-- Recovery codes (policy recovery_code_self).

select is(test.each('select uid, made_at from app.recovery_code where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'When a recovery code was made is read by its person.');
select is(test.each($$ update app.recovery_code set hash = sha256('mine') where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A recovery code is replaced by its person.');
select is(test.each('update app.recovery_code set made_at = now() where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner reaches the bound user''s recovery code and no other.');
call test.be(test.ada());
select throws_ok('select hash from app.recovery_code', '42501', 'permission denied for table recovery_code',
  'The server cannot read what a recovery code is recognised by.');

select * from finish();
rollback;
