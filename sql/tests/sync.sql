-- The ledger of practice belongs to the person. No friend, colleague or company
-- sees any of it: what these see is on the boards.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(26);
\ir support/cast.sql

-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.
--
-- Every table has the same five questions: who reads, who changes, who adds, what
-- must stay as it is, and what a function with the owner's rights could do.

-- Devices (policy device_self).

select is(test.each('select from app.device where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A device is seen by its user alone.');
select is(test.each($$ update app.device set claimed_xp = 9000 where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A device is changed for its user alone.');
select is(
  test.each($$ insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at)
    values (test.ada(), 'phone', 'Phone', 'UTC', 1, now()) $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody adds a device to someone else.');
-- One's own device cannot be pushed onto someone else either.
select is(test.each('update app.device set uid = test.ben()'),
  'herself 42501, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Nobody gives their device away.');
select is(test.each('select from app.device where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s devices and no others.');

-- Sessions (policy session_self), of which Ada has two. A session is a fact: the server may judge it or
-- move it to another epoch, and nothing else about it.

select is(test.each('select from app.session where uid = test.ada()'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A session is seen by its user alone.');
select is(test.each($$ update app.session set verdict = 'overlaps' where uid = test.ada() $$),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A session is judged for its user alone.');
select is(
  test.each($$ insert into app.session (uid, device_id, session_id, started_at, began_at, ended_at, epoch, local_day,
      active_ms, cycles, goal_bonus_xp, verdict)
    values (test.ada(), 'laptop', 's2', '2026-03-07 08:00Z', '2026-03-07 08:00Z', '2026-03-07 08:10Z', 1, '2026-03-07',
      600000, 60, 0, 'sound') $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody practises for someone else.');
select is(test.each('update app.session set active_ms = 0, cycles = 0 where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What was practised is a fact that not even its user rewrites.');
select is(test.each('select from app.session where uid = test.ada()', 'breathmaster_owner'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s sessions and no others.');

-- Daily challenges (policy daily_challenge_self). Their rewards are XP, so making
-- one up for someone else would be a present, and changing one a theft.

select is(test.each('select from app.daily_challenge where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A daily challenge is seen by its user alone.');
select is(test.each('update app.daily_challenge set expired = true where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A daily challenge is changed for its user alone.');
select is(
  test.each($$ insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp,
      completed, expired)
    values (test.ada(), 'laptop', 1, 'c2', '2026-03-07', 'minutes', 10, 500, true, false) $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody wins a daily challenge for someone else.');
select is(test.each('select from app.daily_challenge where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s daily challenges and no others.');

-- Game state (policy game_state_self): what the ledger adds up to.

select is(test.each('select from app.game_state where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A game state is seen by its user alone.');
select is(test.each('update app.game_state set total_xp = 0 where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A game state is changed for its user alone.');
-- Its row is a lock as well: nobody can hold up another person's syncs.
select is(test.each('select from app.game_state where uid = test.ada() for update'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A game state is locked by its user alone.');
select is(test.each('select from app.game_state where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s game state and no other.');
-- A game state comes with its user and cannot be made for anybody else; that
-- Ada's own is refused shows only that she has one.
select is(test.each('insert into app.game_state (uid) values (test.ada())', 'breathmaster_owner'),
  'herself 23505, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes a game state for the bound user and nobody else.');

-- A violated key must not tell whether a hidden row is there. Ada has a laptop; Eve
-- tries to add the very same, and then one to a user who does not exist. Were the
-- keys looked at before the policy, the first would be a duplicate and the second
-- a missing parent.

call test.be(test.eve());
select throws_ok(
  $$ insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at)
     values (test.ada(), 'laptop', 'Laptop', 'UTC', 1, now()) $$,
  '42501', 'new row violates row-level security policy for table "device"',
  'A device that someone else has is refused like one that they do not have.');
select throws_ok(
  $$ insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at)
     values (gen_random_uuid(), 'laptop', 'Laptop', 'UTC', 1, now()) $$,
  '42501', 'new row violates row-level security policy for table "device"',
  'A device of nobody is refused like one of somebody.');

-- A bound on challenges, of all epochs together.

call test.be(test.ada());
insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
select test.ada(), 'laptop', n % 3, 'c' || n, '2026-03-07', 'minutes', 10, 5, true, false
from generate_series(2, 19999) as n;
select lives_ok(
  $$ insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
     values (test.ada(), 'laptop', 1, 'the last', '2026-03-07', 'minutes', 10, 5, false, false) $$,
  'There is room for 20000 challenges.');
select throws_ok(
  $$ insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
     values (test.ada(), 'laptop', 1, 'one more', '2026-03-07', 'minutes', 10, 5, true, false) $$,
  'BM422', 'no room for another challenge', 'There is none for another.');
select lives_ok(
  $$ insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
     values (test.ada(), 'laptop', 1, 'the last', '2026-03-07', 'minutes', 10, 5, true, false)
     on conflict (uid, device_id, epoch, challenge_id) do update set completed = excluded.completed $$,
  'One that is there is completed all the same.');
select throws_ok(
  $$ insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
     select test.ada(), 'laptop', 1, id, '2026-03-07', 'minutes', 10, 5, true, false from unnest(array['the last', 'one more']) as id
     on conflict (uid, device_id, epoch, challenge_id) do update set completed = excluded.completed $$,
  'BM422', 'no room for another challenge', 'Beside one that is there another is counted.');
call test.be(test.eve());
insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at)
values (test.eve(), 'laptop', 'Laptop', 'UTC', 1, now());
select lives_ok(
  $$ insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
     values (test.eve(), 'laptop', 1, 'c1', '2026-03-07', 'minutes', 10, 5, true, false) $$,
  'Somebody else''s take no room.');
reset role;

select * from finish();
rollback;
