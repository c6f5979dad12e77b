-- What is forgotten of a person after the days that they say: the job's role, and what it may see and remove.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(36);
\ir support/cast.sql

-- Policies game_state_forgetting, session_forgetting, sync_batch_forgetting, daily_challenge_forgetting and
-- audit_event_forgetting: the job sees the person whose turn it is, and nobody where it is nobody's.
select is(test.each('select uid from app.session', 'breathmaster_worker'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0',
  'The job sees nobody''s sessions unless it forgets somebody''s, whoever is bound.');
select is(test.each('select uid from app.game_state', 'breathmaster_worker'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0', 'Nor anybody''s state.');
select is(test.each('select uid from app.sync_batch', 'breathmaster_worker'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0', 'Nor what anybody was answered.');
select is(test.each('select uid from app.audit_event', 'breathmaster_worker'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0', 'Nor anybody''s record.');
select is(test.each('select uid from app.daily_challenge', 'breathmaster_worker'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0', 'Nor anybody''s challenges.');

do $$ begin perform set_config('app.forgetting_uid', test.ben()::text, true); end $$;
set local role breathmaster_worker;
select is(test.rows('select uid from app.game_state'), 1::bigint, 'The job sees the one whose turn it is.');
select is(test.rows('select uid from app.session where uid = test.ada()'), 0::bigint, 'It sees no session of anybody else.');
select is(test.rows('delete from app.session where uid = test.ada()'), 0::bigint, 'It removes none.');
select is(test.rows('select uid from app.sync_batch where uid = test.ada()'), 0::bigint, 'It sees no answer of anybody else.');
select is(test.rows('update app.sync_batch set answer = null where uid = test.ada()'), 0::bigint, 'It forgets none.');
select is(test.rows('select uid from app.audit_event where uid = test.ada()'), 0::bigint, 'It sees no line of anybody else''s record.');
select is(test.rows('delete from app.audit_event where uid = test.ada()'), 0::bigint, 'It removes none.');
select is(test.rows('select uid from app.daily_challenge where uid = test.ada()'), 0::bigint,
  'It sees no challenge of anybody else.');
select is(test.rows('delete from app.daily_challenge where uid = test.ada()'), 0::bigint, 'It removes none.');
select is(test.rows($$ update app.game_state set detail_from = '2026-01-01' where uid = test.ada() $$), 0::bigint,
  'It changes nobody else''s state.');
select throws_ok('select cycles from app.session', '42501', 'permission denied for table session',
  'It doesn''t see what was practised.');
select throws_ok('update app.game_state set total_xp = 0', '42501', 'permission denied for table game_state',
  'It changes nothing of what it adds up to.');
select throws_ok($$ update app.session set local_day = '2026-01-01' $$, '42501', 'permission denied for table session',
  'It moves no session.');
reset role;
do $$ begin perform set_config('app.forgetting_uid', '', true); end $$;

-- The server calls it, for everybody, with the time.
create function test.forget(at timestamptz) returns text language sql as $$
  select coalesce(next_place::text, 'nobody') || ' ' || forgotten
  from app.forget_detail('00000000-0000-0000-0000-000000000000', at, 100, 100) $$;
create function test.kept() returns text language sql as $$
  select format('%s sessions, %s answers, %s lines', (select count(*) from app.session),
    (select count(*) from app.sync_batch where answer is not null), (select count(*) from app.audit_event)) $$;
update app.sync_batch set answer = 'x';
select set_config('test.kept', test.kept(), true) as kept \gset

call test.be_unbound();
select matches(test.forget('2026-03-06 18:00Z'), ' 0$', 'What isn''t old isn''t forgotten.');
reset role;
select is(test.kept(), current_setting('test.kept'), 'All of it is there.');
call test.be_unbound();
select matches(test.forget('2027-03-05 12:00Z'), ' 0$', 'A day is kept for 365 more.');
select matches(test.forget('2027-03-07 12:00Z'), ' [1-9]', 'Then its sessions go.');
reset role;
select is((select count(*) from app.session where local_day < '2026-03-07'), 0::bigint, 'They are gone.');
select is((select count(*) from app.sync_batch where answer is not null), 0::bigint, 'So is what was said of each.');
select is((select count(*) from app.sync_batch), (select count(*) from app.sync_batch where handed_xp is not null),
  'What was handed out is known still.');
select is((select detail_from from app.game_state where uid = test.ada()), '2026-03-07'::date,
  'It is known from which day on there are sessions.');
select is((select detail_from from app.game_state where uid = test.stranger()), null, 'Of who had none nothing is said.');
select is((select count(*) from app.session_appeal), 0::bigint, 'What was said for a session goes with it.');
select ok(exists (select from app.practice_day where uid = test.ada()), 'The days stay.');
select ok(exists (select from app.standing where uid = test.ada()), 'And what they add up to.');
select is((select count(*) from app.audit_event), 1::bigint, 'The record is kept for longer.');
call test.be_unbound();
select test.forget('2027-04-11 18:00Z');
reset role;
select is((select count(*) from app.audit_event), 0::bigint, 'It goes back 400 days.');

-- Challenges that were cleared, of the same age: where their day and the moment of the clear tell that, they go. Others
-- would come back if a device brought them again, such as those that another account had cleared.
update app.game_state set epoch = 2 where uid = test.ada();
insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
values
  (test.ada(), 'laptop', 1, 'of the clear''s day', '2026-03-08', 'minutes', 10, 5, true, false),
  (test.ada(), 'laptop', 0, 'of another account', '2026-03-20', 'minutes', 10, 5, true, false),
  (test.ada(), 'laptop', 2, 'since', '2026-03-05', 'minutes', 10, 5, true, false);
create function test.challenges() returns text language sql as $$
  select string_agg(challenge_id, ', ' order by challenge_id collate "C") from app.daily_challenge where uid = test.ada() $$;
call test.be_unbound();
select test.forget('2027-04-11 18:00Z');
reset role;
select is(test.challenges(), 'c1, of another account, of the clear''s day, since',
  'A challenge stays for which no moment tells that it was cleared.');
update app.game_state set epoch_started_at = '2026-03-08 12:00Z' where uid = test.ada();
call test.be_unbound();
select test.forget('2027-03-06 18:00Z');
reset role;
select is(test.challenges(), 'c1, of another account, of the clear''s day, since', 'A cleared challenge is kept for 365 days too.');
call test.be_unbound();
select matches(test.forget('2027-04-11 18:00Z'), ' 1$', 'Then it goes.');
reset role;
select is(test.challenges(), 'of another account, of the clear''s day, since',
  'What its day doesn''t tell of stays, and so does what was not cleared.');

select * from finish();
rollback;
