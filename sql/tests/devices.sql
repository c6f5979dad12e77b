-- Devices: who may bind by a sign-in, and whose business a device is.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(28);
\ir support/cast.sql

-- Ada's one sign-in has her uid for its family (support/cast.sql); Eve gets one of
-- her own, so that there is somebody else's to try.
do $$
begin
  call test.be(test.eve());
  insert into app.refresh_token (uid, family, current_hash, expires_at)
  values (test.eve(), test.eve(), sha256('token of Eve'), '2027-01-01Z');
  call test.be(test.ada());
  update app.device set family = test.ada() where uid = test.ada();
end
$$;
call test.be_unbound();

-- Binding by a sign-in: a token names the user and the sign-in, and both have to be.

select lives_ok('select app.bind(test.ada(), null, test.ada())', 'Who has a sign-in is bound by it.');
select is(app.uid(), test.ada(), 'Bound by a sign-in, the transaction acts for its user.');
select is(app.organization_id(), null, 'Bound by a sign-in without an organization, a person acts for themself.');
select app.bind(test.ada(), test.acme(), test.ada());
select is(app.organization_id(), test.acme(), 'A member can be bound to their organization by a sign-in.');

select throws_ok('select app.bind(test.ada(), null, gen_random_uuid())', 'BM401', 'that sign-in has ended',
  'A sign-in that never was binds nobody.');
select throws_ok('select app.bind(test.ada(), null, test.eve())', 'BM401', 'that sign-in has ended',
  'Somebody else''s sign-in binds nobody.');
select throws_ok('select app.bind(gen_random_uuid(), null, test.ada())', 'BM401', 'that sign-in has ended',
  'Nobody can be bound who does not exist, whoever''s sign-in it is.');
select throws_ok('select app.bind(test.ada(), null, null)', 'BM401', 'that sign-in has ended',
  'No sign-in is not a good one.');
-- With which error depends on the plan; what matters is that it is one.
select throws_like('select app.bind(null, null, test.ada())', '%',
  'Binding nobody is refused, whoever''s sign-in it is.');
select throws_ok('select app.bind(test.ada(), test.umbrella(), test.ada())', 'BM404',
  'not an active member of that organization', 'A sign-in opens no company that is not its user''s.');

-- Each refusal was caught, and the transaction goes on as before it.
select is(app.uid(), test.ada(), 'A refused binding leaves the user as they were.');
select is(app.organization_id(), test.acme(), 'A refused binding leaves the organization as it was.');

select is(
  test.rows('delete from app.refresh_token where uid = test.ada() and family = test.ada()'),
  1::bigint, 'A user ends their sign-in.');
select throws_ok('select app.bind(test.ada(), null, test.ada())', 'BM401', 'that sign-in has ended',
  'A sign-in that was ended binds nobody any more.');
select lives_ok('select app.bind(test.ada())', 'The user is still there for those who come without a token.');
reset role;

select is_empty(
  $$ select r.rolname from pg_roles r
     where r.rolname in ('breathmaster_worker', 'breathmaster_analyst', 'breathmaster_boards')
       and has_function_privilege(r.oid, 'app.bind(uuid, uuid, uuid, timestamptz)', 'execute') $$,
  'Only the server binds by a sign-in.');

-- What the person does with a device (policy device_self, sql/tests/sync.sql).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement changed for them, or the SQLSTATE in which it ended.

select is(test.each($$ update app.device set revoked_at = now() where uid = test.ada() and device_id = 'laptop' $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A device is revoked by its user alone.');
select is(test.each($$ update app.device set chosen_name = 'Mallory''s' where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A device is named by its user alone.');
select is(test.each('update app.device set family = app.uid() where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A device is tied to a sign-in by its user alone.');
select is(test.each('select from app.device where family = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'By which sign-in a device syncs is seen by its user alone.');
select is(test.each('delete from app.device where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server deletes no device: its practice hangs on it.');

-- Constraint names are the codes that a client is shown.

call test.be(test.ada());
select throws_ok($$ update app.device set chosen_name = repeat('a', 81) $$, '23514',
  'new row for relation "device" violates check constraint "device_name_invalid"',
  'A device''s name of 81 characters is refused by its code.');
select throws_ok($$ update app.device set chosen_name = U&'a\0301' $$, '23514',
  'new row for relation "device" violates check constraint "device_name_invalid"',
  'A device''s name that is not in normal form is refused by its code.');
select throws_ok($$ update app.device set chosen_name = E'two\nlines' $$, '23514',
  'new row for relation "device" violates check constraint "device_name_invalid"',
  'A device''s name with a control character is refused by its code.');
select lives_ok('update app.device set chosen_name = null, revoked_at = null',
  'A device''s name and its end can be taken back.');

-- The two wishes (policy user_self).

select throws_ok($$ update app.user set preferred_sync_frequency = 'weekly' $$, '23514',
  'new row for relation "user" violates check constraint "user_preferred_sync_frequency_invalid"',
  'A frequency that there is not is refused.');
select throws_ok('update app.user set day_starts_at = 7', '23514',
  'new row for relation "user" violates check constraint "user_day_starts_at_invalid"',
  'An hour at which no day starts is refused.');
select is(
  test.each($$ update app.user set preferred_sync_frequency = 'daily', day_starts_at = 3 where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'How often to sync and when a day begins is for its user alone to say.');

select * from finish();
rollback;
