-- What syncing in batches keeps beside the ledger: days added up, what a device sent
-- and was answered, preferences. All of it belongs to the person alone.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(38);
\ir support/cast.sql

-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.

-- Practised days (policy practice_day_self). Boards add them up, so a day that
-- someone else could write would be a place on a board.

select is(test.each('select from app.practice_day where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A practised day is seen by its user alone.');
select is(test.each('update app.practice_day set xp = 9000 where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A practised day is added up for its user alone.');
select is(
  test.each($$ insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at,
      last_ended_at, first_zone, last_zone)
    values (test.ada(), 1, '2026-03-07', 9000, 600000, 1, 0, now(), now(), 'UTC', 'UTC') $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody adds a practised day to someone else.');
select is(test.each('update app.practice_day set uid = test.ben()'),
  'herself 42501, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Nobody gives a practised day away.');
select is(test.each('delete from app.practice_day where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A practised day is removed for its user alone.');
select is(test.each('select from app.practice_day where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s practised days and no others.');

-- Batches (policies sync_batch_self and sync_batch_kept). What was handed out is what the next claim is
-- measured against, so not even its user changes it.

select is(test.each('select from app.sync_batch where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A batch and its answer are seen by their user alone.');
select is(
  test.each($$ insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp,
      received_at)
    values (test.ada(), gen_random_uuid(), 'laptop', sha256('another'), 1, 2, 0, 0, now()) $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody sends a batch for someone else.');
select is(test.each('update app.sync_batch set handed_xp = 0, earned_xp = 0 where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What was handed out is a fact that not even its user rewrites.');
insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, received_at)
values (test.ada(), gen_random_uuid(), 'laptop', sha256('new'), 1, 1, 0, 0, now());
select is(test.each('delete from app.sync_batch where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'What was answered is forgotten by its user alone, and not before thirty days have passed.');
delete from app.sync_batch where digest = sha256('new');
select is(test.each('select from app.sync_batch where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s batches and no others.');
select is(test.each('update app.sync_batch set uid = test.ben()', 'breathmaster_owner'),
  'herself 42501, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner gives no batch away.');

-- The id is the device's own choice: two people may happen on the same, and neither
-- learns of it.
call test.be(test.eve());
insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at)
values (test.eve(), 'laptop', 'Laptop', 'UTC', 1, now());
select lives_ok(
  $$ insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, received_at)
     values (test.eve(), test.ada(), 'laptop', sha256('batch'), 1, 1, 0, 0, now()) $$,
  'A batch whose id someone else has used is a batch like any other.');
select throws_ok(
  $$ insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, received_at)
     values (test.ada(), test.ada(), 'laptop', sha256('batch'), 1, 1, 0, 0, now()) $$,
  '42501', 'new row violates row-level security policy for table "sync_batch"',
  'A batch that someone else has sent is refused like one that they have not.');
select throws_ok(
  $$ insert into app.session (uid, device_id, session_id, started_at, began_at, ended_at, epoch, local_day, active_ms,
       cycles, goal_bonus_xp, verdict, pardoned)
     values (test.eve(), 'laptop', 'pardoned', now(), now(), now(), 1, current_date, 0, 0, 0, 'tooManyCycles', true) $$,
  '42501', null, 'A session arrives without a pardon.');
select throws_ok(
  $$ insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, received_at)
     values (test.eve(), gen_random_uuid(), 'laptop', 'short', 1, 1, 0, 0, now()) $$,
  '23514', 'new row for relation "sync_batch" violates check constraint "sync_batch_digest_check"',
  'A batch is known by all of its digest.');
reset role;

-- Entries of the state (policy state_entry_self): unlocks, presets, preferences.

select is(test.each('select from app.state_entry where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A preference is seen by its user alone.');
select is(test.each($$ update app.state_entry set value = '"boxing"' where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A preference is changed for its user alone.');
select is(
  test.each($$ insert into app.state_entry (uid, field, key, value, written_at, labelled_at, device_id, sync_version)
    values (test.ada(), 'preferredPatterns', 'evening', '"boxing"', now(), now(), 'laptop', 2) $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody prefers anything for someone else.');
select is(test.each('update app.state_entry set uid = test.ben()'),
  'herself 42501, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Nobody gives a preference away.');
select is(test.each('delete from app.state_entry where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A preference is deleted for its user alone.');
select is(test.each('select from app.state_entry where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s preferences and no others.');

call test.be(test.ada());
select lives_ok($$ update app.state_entry set value = null where uid = test.ada() $$,
  'What is removed leaves a tombstone.');
select throws_ok(
  $$ insert into app.state_entry (uid, field, key, value, written_at, labelled_at, device_id, sync_version)
     values (test.ada(), 'preferredPatterns', repeat('a', 65), '1', now(), now(), 'laptop', 2) $$,
  '23514', 'new row for relation "state_entry" violates check constraint "state_entry_key_check"',
  'A name of 65 characters is refused.');
reset role;

-- A violated key must not tell whether a hidden row is there.

call test.be(test.eve());
select throws_ok(
  $$ insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at,
      last_ended_at, first_zone, last_zone)
     values (test.ada(), 1, '2026-03-06', 60, 600000, 1, 0, now(), now(), 'UTC', 'UTC') $$,
  '42501', 'new row violates row-level security policy for table "practice_day"',
  'A day that someone else has practised is refused like one that they have not.');
select throws_ok(
  $$ insert into app.state_entry (uid, field, key, value, written_at, labelled_at, device_id, sync_version)
     values (test.ada(), 'preferredPatterns', 'morning', '1', now(), now(), 'laptop', 2) $$,
  '42501', 'new row violates row-level security policy for table "state_entry"',
  'A preference that someone else has is refused like one that they do not have.');
reset role;

-- The columns that came with batches. What a session counts for is judged anew
-- beside others; where and when it was practised is a fact like the rest of it.

select is(
  test.each($$ update app.session set counted_xp = 30, counted_active_ms = 300000, sync_version = 2
    where uid = test.ada() and session_id = 's1' $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'What a session counts for is judged for its user alone.');
select is(test.each('update app.session set pardoned = true where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server pardons no session, not even for its user.');
select is_empty(
  $$ select attname from pg_attribute
     where attrelid = 'app.session'::regclass and attnum > 0
       and attname not in ('epoch', 'verdict', 'counted_xp', 'counted_active_ms', 'sync_version')
       and has_column_privilege('breathmaster_api', attrelid, attnum, 'update') $$,
  'Of a session the server changes its judgement, its epoch and the sync that did, and nothing else.');
select is(
  test.each('update app.session set pardoned = true where uid = test.ada() and session_id = $$s0$$', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An operator pardons a session of the person on whose behalf they act, and no other.');
select is(
  test.each('update app.device set clock_offset_ms = 1, session_xp = 2, reward_xp = 3 where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'What a device brought is added up for its user alone.');
select is(test.each('update app.game_state set floor_xp = 9000 where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'The floor of a total is raised for its user alone.');
select is(test.each('delete from app.session where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server deletes no session, not even at its user''s "clear data".');

-- Their number has a bound, whatever they count for. Of these people only Ada has any.
select is(test.each('select app.refuse_more_sessions(100)'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'Below the bound nobody is refused.');
select is(test.each('select app.refuse_more_sessions(0)'),
  'herself BM413, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'The bound is on one''s own sessions.');

-- What nobody but the server has to do with.

select is_empty(
  $$ select r.rolname, t.name
     from pg_roles r,
       unnest(array['app.practice_day', 'app.sync_batch', 'app.state_entry']) as t (name)
     where r.rolname in ('breathmaster_worker', 'breathmaster_analyst', 'breathmaster_boards')
       and (has_table_privilege(r.oid, t.name, 'select, insert, update, delete')
         or has_any_column_privilege(r.oid, t.name, 'select, insert, update'))
       and (r.rolname, t.name) <> ('breathmaster_worker', 'app.sync_batch') $$,
  'Neither jobs nor analysts nor boards reach days, batches or preferences; but for the job that forgets answers.');

-- Everything goes with the person; a batch goes with its device as well.

call test.be(test.ada());
select is(
  test.rows('select from app.sync_batch') + test.rows('select from app.practice_day')
    + test.rows('select from app.state_entry'),
  3::bigint, 'Ada has a day, a batch and a preference.');
reset role;
update app.member set role = 'owner' where uid = test.ben();
set local role breathmaster_owner;
delete from app.user where uid = test.ada();
select is(
  test.rows('select from app.sync_batch') + test.rows('select from app.practice_day')
    + test.rows('select from app.state_entry'),
  0::bigint, 'Days, batches and preferences go with their user.');

select * from finish();
rollback;
