-- Appeals: a person asks to let a session count that is in quarantine, and an operator
-- decides. Both are added and never changed, and neither is anybody else's business.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(23);
\ir support/cast.sql

-- Ada's session s0 has an appeal and its decision (support/cast.sql); s2 waits for one.
do $$
begin
  call test.be(test.ada());
  insert into app.session (uid, device_id, session_id, started_at, began_at, ended_at, epoch, local_day, active_ms, cycles,
    goal_bonus_xp, verdict)
  values (test.ada(), 'laptop', 's2', '2026-03-04 17:50Z', '2026-03-04 17:50Z', '2026-03-04 18:00Z', 1, '2026-03-04',
    600000, 301, 0, 'tooManyCycles');
end
$$;
reset role;

-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.

-- Appeals (policy session_appeal_self).

select is(test.each('select from app.session_appeal where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An appeal is seen by its user alone.');
select is(
  test.each($$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
    values (test.ada(), 'laptop', 's2', '2026-03-04 17:50Z', 'tooManyCycles', 'Please.') $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody appeals for someone else.');
select is(test.each($$ update app.session_appeal set reason = 'I said nothing.' where uid = test.ada() $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What was said in an appeal is a fact that not even its user rewrites.');
select is(test.each('delete from app.session_appeal where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody takes an appeal back, and with it what was decided.');
select is(test.each('select from app.session_appeal where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s appeals and no others.');
select is(test.each('update app.session_appeal set uid = test.ben()', 'breathmaster_owner'),
  'herself 42501, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner gives no appeal away.');

-- When it was made is not the server's to say.
select is(
  test.each($$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason, appealed_at)
    values (test.ada(), 'laptop', 's2', '2026-03-04 17:50Z', 'tooManyCycles', 'Please.', '2020-01-01Z') $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody dates an appeal back.');

-- Decisions (policy appeal_decision_self). The server reads them; who could make one
-- could let any session count.

select is(test.each('select from app.appeal_decision where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A decision is seen by the person whom it is about, and by nobody else.');
do $$
begin
  call test.be(test.ada());
  insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
  values (test.ada(), 'laptop', 's2', '2026-03-04 17:50Z', 'tooManyCycles', 'Please.');
end
$$;
reset role;
select is(
  test.each($$ insert into app.appeal_decision (uid, device_id, session_id, started_at, accepted, decided_by)
    values (test.ada(), 'laptop', 's2', '2026-03-04 17:50Z', true, 'Ada') $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server decides no appeal, least of all for its user.');
select is(test.each('update app.appeal_decision set accepted = true where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server changes no decision.');
select is(test.each('delete from app.appeal_decision where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server deletes no decision.');

-- The operator acts on one person's behalf, with the owner's rights.
select is(test.each('select from app.appeal_decision where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An operator sees the decisions of the person on whose behalf they act, and no others.');
select is(
  test.each($$ insert into app.appeal_decision (uid, device_id, session_id, started_at, accepted, decided_by)
    values (test.ada(), 'laptop', 's2', '2026-03-04 17:50Z', true, 'Olga') $$, 'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'An operator decides an appeal of the person on whose behalf they act, and no other.');

-- Once for each session, and for none that nobody appealed.

call test.be(test.ada());
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (test.ada(), 'laptop', 's0', '2026-03-05 17:50Z', 'tooManyCycles', 'Once more.') $$,
  '23505', null, 'A session is appealed once.');
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (test.ada(), 'laptop', 's9', '2026-03-05 17:50Z', 'tooManyCycles', 'Please.') $$,
  '23503', null, 'A session that is not there is not appealed.');
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (test.ada(), 'laptop', 's1', '2026-03-06 17:50Z', 'overlaps', '') $$,
  '23514', 'new row for relation "session_appeal" violates check constraint "session_appeal_reason_invalid"',
  'An appeal without a reason is refused by its code.');
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (test.ada(), 'laptop', 's1', '2026-03-06 17:50Z', 'overlaps', repeat('a', 1001)) $$,
  '23514', 'new row for relation "session_appeal" violates check constraint "session_appeal_reason_invalid"',
  'A reason of 1001 characters is refused by its code.');
set local role breathmaster_owner;
select throws_ok(
  $$ insert into app.appeal_decision (uid, device_id, session_id, started_at, accepted, decided_by)
     values (test.ada(), 'laptop', 's0', '2026-03-05 17:50Z', true, 'Olga') $$,
  '23505', null, 'An appeal is decided once.');
select throws_ok(
  $$ insert into app.appeal_decision (uid, device_id, session_id, started_at, accepted, decided_by)
     values (test.ada(), 'laptop', 's1', '2026-03-06 17:50Z', true, 'Olga') $$,
  '23503', null, 'Nothing is decided that was not asked.');

-- Ada's session s0 has an appeal. Eve tries the same for her, and for nobody.

call test.be(test.eve());
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (test.ada(), 'laptop', 's0', '2026-03-05 17:50Z', 'tooManyCycles', 'Please.') $$,
  '42501', 'new row violates row-level security policy for table "session_appeal"',
  'An appeal that someone else has made is refused like one that they have not.');
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (gen_random_uuid(), 'laptop', 's0', '2026-03-05 17:50Z', 'tooManyCycles', 'Please.') $$,
  '42501', 'new row violates row-level security policy for table "session_appeal"',
  'An appeal of nobody is refused like one of somebody.');
select throws_ok(
  $$ insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
     values (test.eve(), 'laptop', 's0', '2026-03-05 17:50Z', 'tooManyCycles', 'Please.') $$,
  '23503', null, 'Someone else''s session is not there to be appealed.');
reset role;

select is_empty(
  $$ select r.rolname, t.name
     from pg_roles r, unnest(array['app.session_appeal', 'app.appeal_decision']) as t (name)
     where r.rolname in ('breathmaster_worker', 'breathmaster_analyst', 'breathmaster_boards')
       and (has_table_privilege(r.oid, t.name, 'select, insert, update, delete')
         or has_any_column_privilege(r.oid, t.name, 'select, insert, update')) $$,
  'Neither jobs nor analysts nor boards reach appeals.');

select * from finish();
rollback;
