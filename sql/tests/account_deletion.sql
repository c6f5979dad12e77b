-- The end of an account by its person, and mail that was given up.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(19);
\ir support/cast.sql

-- Mail that was given up is the operator's to see, who acts as the owner.
select is(test.each($$ select * from app.dead_mail(now()) $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server sees no mail that was given up.');
insert into app.outbox (uid, message_id, kind, recipient, written_at, good_until, due_at, attempts, dead_at, dead_of)
select test.ben(), ('5e5e5e5e-0000-4000-8000-00000000020' || n)::uuid, 'passwordChanged', 'ben@acme.example', '2026-03-06 18:00Z',
  '2026-03-07 18:00Z', '2026-03-06 18:00Z', 10, case n when 1 then '2026-03-06 19:00Z'::timestamptz end, case n when 1 then 'too many attempts' end
from generate_series(1, 2) as n;
set local role breathmaster_owner;
do $$ begin perform set_config('app.uid', '', true); end $$;
select results_eq($$ select recipient, dead_of from app.dead_mail('2026-03-06 20:00Z') $$,
  $$ values ('ben@acme.example', 'too many attempts') $$, 'The operator sees what was given up, and not what waits.');
select is(app.retry_mail('5e5e5e5e-0000-4000-8000-000000000202', '2026-03-06 20:00Z'), null, 'What waits is not tried again.');
select is(app.retry_mail('5e5e5e5e-0000-4000-8000-000000000201', '2026-03-07 20:00Z'), 'too late',
  'What is over is not tried again.');
select is(app.retry_mail('5e5e5e5e-0000-4000-8000-000000000201', '2026-03-06 20:00Z'), 'waiting', 'What was given up waits again.');
reset role;
select results_eq(
  $$ select attempts, dead_at, dead_of, due_at from app.outbox where message_id = '5e5e5e5e-0000-4000-8000-000000000201' $$,
  $$ values (0, null::timestamptz, null::text, '2026-03-06 20:00Z'::timestamptz) $$, 'As if it were new.');

-- An account. Acme has no owner but Ada; Umbrella none but Eve, who is alone there.
call test.be(test.ada());
select throws_ok('select app.delete_account(test.origin())', 'BM409', 'the last owner',
  'The last owner of a company with other members doesn''t go.');
reset role;
select ok(exists (select from app.user where uid = test.ada()), 'Nothing of it is done.');
update app.member set role = 'owner' where uid = test.ben();
select is(test.each('select app.delete_account(test.origin())', 'breathmaster_worker'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'No job ends an account.');
call test.be_unbound();
select throws_ok('select app.delete_account(test.origin())', '42501', null, 'Unbound there is nobody to go.');
call test.be(test.ada());
create temporary table gone (counts jsonb) on commit drop;
reset role;
grant all on gone to breathmaster_api;
call test.be(test.ada());
insert into gone select app.delete_account(test.origin());
select throws_ok('select app.bind(test.ada())', 'BM401', null, 'Nobody is bound as them any more.');
reset role;
select is((select (counts ->> 'devices')::integer from gone), 1, 'It is said how much there was.');
select is((select count(*) from app.user where uid = test.ada()), 0::bigint, 'The person is gone.');
select is((select count(*) from app.user), 4::bigint, 'And nobody else.');
select is((select count(*) from app.password_reset where address = 'ada@acme.example'), 0::bigint,
  'So is what was asked in their name.');
select is((select count(*) from app.organization where deletion_due_at is not null), 0::bigint, 'A company with another owner goes on.');
select ok(exists (select from app.organization_event where organization_id = test.acme() and action = 'member.left'),
  'Its record says who left.');
call test.be(test.eve());
select lives_ok('select app.delete_account(test.origin())', 'Who is alone in a company goes.');
reset role;
select ok((select deletion_due_at is not null from app.organization where organization_id = test.umbrella()),
  'The company ends with them, in its seven days.');

select * from finish();
rollback;
