-- Mail that waits to be sent, and addresses that wait for their code.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(43);
\ir support/cast.sql

-- Ada has asked for a code to ada@home.example (support/cast.sql).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended.

-- The outbox (policies outbox_self for functions of the owner, outbox_delivering for
-- the job): the server itself sees none of it.

select is(test.each('select from app.outbox'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads nobody''s mail.');
select is(test.each('delete from app.outbox'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server takes no mail away.');
select is(test.each('select from app.outbox where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s mail and no other.');
select is(
  test.each($$ insert into app.outbox (uid, message_id, kind, recipient, seed, written_at, good_until, due_at)
    values (test.ada(), gen_random_uuid(), 'emailCode', 'a@b.example', gen_random_uuid(), now(), now(), now()) $$,
    'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner writes mail of nobody but the bound user.');
select is(test.each('select from app.outbox', 'breathmaster_worker'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The job sees no mail unless it is delivering.');

do $$ begin perform set_config('app.delivering', '2026-03-06 17:59Z', true); end $$;
set local role breathmaster_worker;
select is(test.rows('select from app.outbox'), 0::bigint, 'The job sees nothing that was written after its moment.');
select throws_ok($$ update app.outbox set uid = test.ben() $$, '42501', 'permission denied for table outbox',
  'The job makes no mail somebody else''s.');
do $$ begin perform set_config('app.delivering', '2026-03-06 18:00Z', true); end $$;
select is(test.rows('select from app.outbox'), 1::bigint, 'The job sees what was written by its moment, of everyone.');
select throws_ok($$ insert into app.outbox (uid, message_id, kind, recipient, written_at, good_until, due_at)
  values (test.ada(), gen_random_uuid(), 'emailCode', 'a@b.example', now(), now(), now()) $$, '42501',
  'new row violates row-level security policy for table "outbox"', 'The job writes no mail after its moment.');
reset role;
do $$ begin perform set_config('app.delivering', '', true); end $$;

call test.be(test.ada());
set local role breathmaster_owner;
select throws_ok($$ insert into app.outbox (uid, message_id, kind, recipient, seed, written_at, good_until, due_at)
    values (test.ada(), gen_random_uuid(), 'emailCode', E'a@b.example\r\nRCPT TO:<c@d.example>', null, now(), now(), now()) $$,
  '23514', 'new row for relation "outbox" violates check constraint "outbox_recipient_invalid"',
  'An address that could end a line of the conversation is refused.');
reset role;

-- Taking, and giving back.

create view test.taken as
select recipient, attempts from app.take_mail(10, current_setting('test.moment')::timestamptz, interval '3 minutes');
create procedure test.at(moment text) language plpgsql as $$ begin perform set_config('test.moment', moment, true); end $$;
grant select on test.taken to public;
alter view test.taken owner to breathmaster_api;

call test.be_unbound();
call test.at('2026-03-06 17:59Z');
select is_empty('select * from test.taken', 'Mail is not taken before it was written.');
call test.at('2026-03-06 18:00Z');
select results_eq('select * from test.taken', $$ values ('ada@home.example', 1) $$, 'The job takes what is due.');
select is_empty('select * from test.taken', 'Nobody else is given what is taken.');
call test.at('2026-03-06 18:02:59Z');
select is_empty('select * from test.taken', 'It is taken for as long as the lease.');
call test.at('2026-03-06 18:03Z');
select results_eq('select * from test.taken', $$ values ('ada@home.example', 2) $$,
  'After the lease the next one is given it, and the attempt counts.');
reset role;
create function test.message() returns uuid language sql stable as $$ select message_id from app.outbox where recipient = 'ada@home.example' $$;
select set_config('test.message', test.message()::text, true) as message \gset
create function test.refuse(attempt integer, for_good boolean, moment timestamptz) returns void language sql as $$
  select app.mail_refused(test.ada(), current_setting('test.message')::uuid, attempt, 'busy, reply 451', for_good, moment) $$;
call test.be_unbound();
select test.refuse(1, true, '2026-03-06 18:03Z');
reset role;
select is((select dead_at from app.outbox), null, 'A refusal of an attempt that another has overtaken says nothing.');
call test.be_unbound();
select test.refuse(2, false, '2026-03-06 18:03Z');
reset role;
select is((select due_at from app.outbox), '2026-03-06 18:03:30Z', 'What was refused is tried again, twice as late each time.');

call test.be_unbound();
call test.at('2026-03-06 18:03:30Z');
select results_eq('select * from test.taken', $$ values ('ada@home.example', 3) $$, 'It is due again then.');
reset role;
create table test.kept as table app.outbox;
create procedure test.put_back() language plpgsql as $$ begin delete from app.outbox; insert into app.outbox table test.kept; end $$;
call test.be_unbound();
select test.refuse(3, true, '2026-03-06 18:03:30Z');
reset role;
select results_eq('select dead_at, dead_of from app.outbox', $$ values ('2026-03-06 18:03:30Z'::timestamptz, 'busy, reply 451') $$,
  'What was refused for good is given up, with the reason.');
call test.be_unbound();
call test.at('2026-03-06 18:09Z');
select is_empty('select * from test.taken', 'What was given up is not tried again.');
call test.at('2026-03-13 18:03:30Z');
select is_empty('select * from test.taken', 'Nor a week later,');
reset role;
select is_empty('select from app.outbox', 'when it is gone.');
call test.put_back();
call test.be_unbound();
call test.at('2026-03-06 18:10Z');
select is_empty('select * from test.taken', 'A code that is over is not sent.');
reset role;
select is((select dead_of from app.outbox), 'too late', 'It is given up, with the reason.');
call test.put_back();
update app.outbox set attempts = 10;
call test.be_unbound();
call test.at('2026-03-06 18:08Z');
select is_empty('select * from test.taken', 'After ten attempts there is no other.');
reset role;
select is((select dead_of from app.outbox), 'too many attempts', 'It is given up, with that reason.');
call test.put_back();
call test.be_unbound();
select app.mail_taken(test.ada(), current_setting('test.message')::uuid, '2026-03-06 18:04Z');
reset role;
select is_empty('select from app.outbox', 'What a mail server has taken is gone.');

-- Nobody causes more than five messages an hour.

call test.be(test.ada());
select is(app.ask_email('two@home.example', gen_random_uuid(), sha256('2'), '2026-03-06 18:01Z', '2026-03-06 18:11Z'), null,
  'A second message in the hour is written.');
do $$ begin
  for n in 3..5 loop
    perform app.ask_email('two@home.example', gen_random_uuid(), sha256('2'), '2026-03-06 18:01Z', '2026-03-06 18:11Z');
  end loop;
end $$;
select is(app.ask_email('two@home.example', gen_random_uuid(), sha256('6'), '2026-03-06 18:01Z', '2026-03-06 18:11Z'), 59 * 60,
  'A sixth is not, and the seconds to wait are told.');
select is(app.ask_email('two@home.example', gen_random_uuid(), sha256('7'), '2026-03-06 19:00Z', '2026-03-06 19:10Z'), null,
  'It is written an hour after the first.');

-- Everybody's mail together has a bound as well.

reset role;
insert into app.outbox (uid, message_id, kind, recipient, written_at, good_until, due_at)
select test.ben(), gen_random_uuid(), 'emailCode', 'a@b.example', '2026-03-06 18:00Z', 'infinity', 'infinity' from generate_series(1, 10000);
call test.be(test.eve());
select throws_ok($$ select app.ask_email('e@home.example', gen_random_uuid(), sha256('e'), '2026-03-06 19:00Z', '2026-03-06 19:10Z') $$,
  '53000', 'the outbox is full', 'When nobody takes mail any more, no more is written.');
reset role;
delete from app.outbox where uid = test.ben();

-- Addresses that wait for their code (policy email_verification_self).

select is(test.each('select address from app.email_verification where uid = test.ada()'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An address that waits is seen by its user alone.');
select is(test.each('select digest from app.email_verification'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads no digest.');
select is(test.each('delete from app.email_verification where uid = test.ada()'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An address that waits is taken back by its user alone.');
select is(test.each('delete from app.email_claim where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A verified address is taken back by its user alone.');
select is(test.each('select from app.email_verification where uid = test.ada()', 'breathmaster_owner'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s addresses and no others.');
select is(test.each('select from app.mail_budget where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'How much mail somebody caused is seen for the bound user alone.');
select is(test.each($$ select app.verify_email('two@home.example', sha256('7'), '2026-03-06 19:05Z') as good $$),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'Everybody gets an answer about a code.');

call test.be(test.ben());
select ok(not app.verify_email('two@home.example', sha256('7'), '2026-03-06 19:05Z'),
  'A code is nothing to somebody else, whose address it isn''t.');
call test.be(test.ada());
select ok(not app.verify_email('two@home.example', sha256('7'), '2026-03-06 19:10Z'), 'A code is good for ten minutes.');
select ok(app.verify_email('two@home.example', sha256('7'), '2026-03-06 19:09Z'), 'Within them it makes the address its user''s.');
do $$ begin
  for n in 1..5 loop perform app.verify_email('ada@home.example', sha256('wrong'), '2026-03-06 18:05Z'); end loop;
end $$;
select ok(not app.verify_email('ada@home.example', sha256('1'), '2026-03-06 18:05Z'),
  'After five wrong codes the right one is none either.');

call test.be(test.ben());
select app.ask_email('TWO@home.example', gen_random_uuid(), sha256('b'), '2026-03-06 19:00Z', '2026-03-06 19:10Z');
select throws_ok($$ select app.verify_email('TWO@home.example', sha256('b'), '2026-03-06 19:05Z') $$, '23505',
  'duplicate key value violates unique constraint "email_claim_taken"',
  'An address that is somebody''s does not become another''s.');

select * from finish();
rollback;
