-- The audit of the boards: it reads everyone's uid and nothing else of anybody, in pages,
-- and is the operator's alone.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(14);
\ir support/cast.sql

-- The job's role sees people only while it audits, and only those from there.
set local role breathmaster_worker;
select throws_ok('select uid from app.user', '42501', 'nothing is being audited in this transaction',
  'A job that audits nothing sees nobody, and is told.');
select set_config('app.auditing', test.ada()::text, true);
select ok(not exists (select from app.user where uid <= test.ada()), 'Who was read before is not seen again.');
select ok(
  (select count(*) from app.user where uid > test.ada())
    = (select count(*) from unnest(array[test.ben(), test.frank(), test.eve(), test.stranger()]) as uid where uid > test.ada()),
  'Everyone after is seen.');
select throws_ok('select display_name from app.user', '42501', 'permission denied for table user',
  'The audit sees no name.');
select set_config('app.auditing', '', true);
reset role;

-- The pages are the operator's, who reads them as the owner.
set local role breathmaster_owner;
select set_config('app.uid', '', true);
select is(app.people_after('00000000-0000-0000-0000-000000000000', 100),
  (select array_agg(uid order by uid) from unnest(array[test.ada(), test.ben(), test.frank(), test.eve(), test.stranger()]) as uid),
  'The audit reads everybody, in the order of their uids.');
select is(cardinality(app.people_after('00000000-0000-0000-0000-000000000000', 2)), 2, 'A page has as many as were asked for.');
select throws_ok('select uid from app.user', '42501', null, 'The owner itself sees nobody unbound.');
select ok('2026-W05' = any (array(select app.audited_weeks())), 'A closed week is audited.');
select is_empty($$ select app.audit_tally('2026-W10') $$, 'Counts that are right are not called wrong.');
reset role;

-- What the counts say is compared with the people on the board.
insert into app.global_tally_change (period, metric, value, people) values ('2026-W10', 'weekly_xp', 7, 1);
set local role breathmaster_owner;
select isnt_empty($$ select from app.audit_tally('2026-W10') where metric = 'weekly_xp' and level = 0 $$,
  'A count that is wrong is found.');
reset role;

select throws_ok($$ select app.closing_season() $$, '42501', null, 'An audit leaves no week open to the job.');

-- The server can't ask any of it.
call test.be(test.ada(), test.acme());
select throws_ok($$ select app.people_after(gen_random_uuid(), 1) $$, '42501', 'permission denied for function people_after',
  'The server cannot read who there is.');
select throws_ok($$ select app.audit_tally('2026-W10') $$, '42501', 'permission denied for function audit_tally',
  'The server cannot audit counts.');
select throws_ok($$ select app.audit_season('2026-W10') $$, '42501', 'permission denied for function audit_season',
  'The server cannot audit history.');

select * from finish();
rollback;
