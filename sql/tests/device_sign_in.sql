-- Devices that wait to be signed in, and who lets them.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(24);
\ir support/cast.sql

-- Two devices wait, of which Ada has let the second one in (support/cast.sql).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended.

create function test.device(n integer) returns uuid language sql immutable as
$$ select ('5e5e5e5e-0000-4000-8000-00000000010' || n)::uuid $$;

-- Wishes (policy device_request_delivering): nobody's.

select is(test.each('select from app.device_request'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads no device that waits.');
select is(test.each('select from app.device_request', 'breathmaster_worker'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The worker sees no device without a moment.');
do $$ begin perform set_config('app.delivering', '2026-03-06 17:59Z', true); end $$;
set local role breathmaster_worker;
select is(test.rows('select from app.device_request'), 0::bigint, 'The worker sees none that asked after its moment,');
select is(test.rows('select from app.device_approval'), 0::bigint, 'and nobody who said yes after it.');
select throws_ok($$ insert into app.device_request (request_id, hash, code_digest, device_name, source, asked_at, good_until, next_poll_at)
    values (gen_random_uuid(), sha256('1'), sha256('1'), 'x', 'y', '2026-03-06 18:00Z', '2026-03-06 18:00Z', '2026-03-06 18:00Z') $$,
  '42501', 'new row violates row-level security policy for table "device_request"', 'No device asks after the moment of asking.');
do $$ begin perform set_config('app.delivering', '2026-03-06 18:00Z', true); end $$;
select is(test.rows('select from app.device_request'), 2::bigint, 'The worker sees those that asked by its moment,');
select is(test.rows('select from app.device_approval'), 1::bigint, 'and who said yes.');
select throws_ok($$ update app.device_approval set uid = test.ben() $$, '42501', 'permission denied for table device_approval',
  'A yes is nobody else''s.');
reset role;
do $$ begin perform set_config('app.delivering', '', true); end $$;

-- Whoever said yes (policy device_approval_self for functions of the owner).

select is(test.each('select from app.device_approval'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads nobody''s yes.');
select is(test.each('select from app.device_approval where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s yes and no other.');
select is(
  test.each($$ insert into app.device_approval (uid, request_id, approved_at) values (test.ada(), gen_random_uuid(), now()) $$,
    'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner says yes for nobody but the bound user.');

-- From the code to the device.

select results_eq($$ select id, called, from_source from app.device_request_by_code(sha256('1'), '2026-03-06 18:01Z') $$,
  $$ values (test.device(1), 'Editor', '192.0.2.0/24') $$, 'A device is found by the code that it shows,');
select results_eq($$ select id from app.device_request_by_code(sha256('2'), '2026-03-06 18:01Z') $$,
  $$ values (null::uuid) $$, 'unless it was answered,');
select results_eq($$ select id from app.device_request_by_code(sha256('1'), '2026-03-06 18:10Z') $$,
  $$ values (null::uuid) $$, 'or its time is over.');

-- From the device to the person.

create view test.outcome as
select (app.enter_by_device_request(test.device(n), sha256(secret::bytea), '2026-03-06 18:01Z')).*
from (select current_setting('test.n')::integer as n, current_setting('test.secret') as secret) as asked;
create procedure test.ask(n integer, secret text) language plpgsql as
$$ begin perform set_config('test.n', n::text, true), set_config('test.secret', secret, true), set_config('app.uid', '', true); end $$;

call test.ask(2, 'another');
select results_eq('select outcome, entered from test.outcome', $$ values ('unknown', null::uuid) $$,
  'Who has not the device''s secret learns nothing.');
select is(current_setting('app.uid'), '', 'They are nobody.');
call test.ask(1, 'device');
select results_eq('select outcome, entered from test.outcome', $$ values ('waiting', null::uuid) $$, 'A device waits for its answer.');
call test.be(test.ben());
select ok(not app.answer_device_request(test.device(2), true, '2026-03-06 18:01Z'), 'A device is answered once, by whoever comes first.');
reset role;
call test.ask(2, 'device');
select is((select o from app.enter_by_device_request(test.device(2), sha256('device'), '2026-03-06 18:01Z') as e (o, u)),
  'approved', 'A device that was let in is told so.');
select is(current_setting('app.uid'), test.ada()::text, 'The transaction is that of whoever let it in.');
call test.ask(2, 'device');
select is((select o from app.enter_by_device_request(test.device(2), sha256('device'), '2026-03-06 18:01Z') as e (o, u)),
  'unknown', 'It is let in once.');
call test.be(test.ben());
select ok(not app.answer_device_request(test.device(1), true, '2026-03-06 18:10Z'), 'Nobody answers a device whose time is over,');
reset role;
call test.ask(1, 'device');
select is((select o from app.enter_by_device_request(test.device(1), sha256('device'), '2026-03-06 18:10Z') as e (o, u)),
  'expired', 'and it is told so.');
do $$ begin perform app.ask_device_sign_in(gen_random_uuid(), sha256('d'), sha256('d'), 'x', 'y', '2026-03-06 18:10Z', '2026-03-06 18:20Z'); end $$;
select is((select count(*)::integer from app.device_request), 1, 'What waited for ten minutes is gone.');

select * from finish();
rollback;
