-- How often somebody may knock, whose business a token is, and a record that nobody rewrites.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(48);
\ir support/cast.sql

-- Quotas. The clock is the caller's: each line is asked at a time of its own, in
-- minutes after noon, as the server, which is bound to nobody.

create function test.knock(minutes numeric, subject text default 'door', quota integer default 3) returns text language sql as $$
  select coalesce('wait ' || retry_after, 'in')
  from app.take(array[substr(sha256(subject::bytea), 1, 16)], array[quota], array[3600],
    '2026-03-07 12:00Z'::timestamptz + minutes * interval '1 minute')
$$;
call test.be_unbound();
select is(test.knock(0), 'in', 'The first one is let in.');
select is(test.knock(0), 'in', 'The second, in the same moment, too.');
select is(test.knock(0), 'in', 'The third is the last of three.');
select is(test.knock(0), 'wait 1200', 'The fourth waits for a third of the hour, when the first has come back.');
select is(test.knock(19), 'wait 60', 'Who knocks too soon waits for the rest, and no longer for having knocked.');
select is(test.knock(20), 'in', 'Who waits as long as was said is let in.');
select is(test.knock(20), 'wait 1200', 'One came back in that time, and no more than one.');
select is(test.knock(39.99), 'wait 1', 'Nobody is told to wait for no time at all.');
select is(test.knock(0, 'another door'), 'in', 'What one spent is not another''s.');
select is(test.knock(600) || ', ' || test.knock(600) || ', ' || test.knock(600) || ', ' || test.knock(600),
  'in, in, in, wait 1200', 'After a long time there is the whole quota, and no more than that.');
select is(test.knock(500), 'wait 7200', 'A clock that goes back gives nothing away.');
-- No hour, wherever it begins, lets in more than the quota and what comes back within it.
select is((select count(*) filter (where test.knock(2000 + n, 'every minute', 6) = 'in')::integer from generate_series(0, 59) n),
  6 + 5, 'Within an hour there is the quota, and what comes back in that hour.');

select is(
  (select concat_ws(' ', refused, retry_after) from app.take(array[substr(sha256('address'), 1, 16), substr(sha256('account'), 1, 16)],
    array[2, 1], array[60, 60], '2026-03-07 12:00Z')), '', 'Where there is one of each quota, nothing is refused.');
select is(
  (select concat_ws(' ', refused, retry_after) from app.take(array[substr(sha256('address'), 1, 16), substr(sha256('account'), 1, 16)],
    array[2, 1], array[60, 60], '2026-03-07 12:00Z')), '2 60', 'The second of two quotas can be the one that is spent.');
select is(
  (select concat_ws(' ', refused, retry_after) from app.take(array[substr(sha256('address'), 1, 16), substr(sha256('account'), 1, 16)],
    array[2, 1], array[60, 60], '2026-03-07 12:00Z')), '1 30', 'And what was taken of the first stays taken.');

select throws_ok('select from app.rate_limit', '42501', 'permission denied for table rate_limit',
  'The server cannot read who knocked.');
select throws_ok('delete from app.rate_limit', '42501', 'permission denied for table rate_limit',
  'The server cannot forgive who knocked.');

-- Only what says nothing is forgotten.
select is(app.forget_rate_limits('2026-03-07 11:59Z', 100), 1, 'What was free before is forgotten: the cast''s.');
select is(test.knock(600.5), 'wait 1170', 'What is not free yet is kept.');
select is(app.forget_rate_limits('2026-03-09 00:00Z', 2), 2, 'No more are forgotten at once than was said.');
select ok(app.forget_rate_limits('2026-03-10 00:00Z', 100) > 0, 'The next time goes on.');
select is(app.forget_rate_limits('2026-03-10 00:00Z', 100), 0, 'In the end none is left.');
reset role;
select is_empty('select from app.rate_limit', 'The table holds those alone who came lately.');
select is((select relpersistence::text from pg_class where oid = 'app.rate_limit'::regclass), 'u',
  'Counting writes no log.');

-- Tokens of programs (policy access_token_self).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended.

select is(test.each('select uid, token_id, name, scopes from app.access_token where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A token is seen by its person alone.');
select is(test.each('delete from app.access_token where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A token is revoked by its person alone.');
select is(test.each($$ update app.access_token set used_on = '2026-03-07' where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'That a token was used is noted for its person alone.');
select is(test.each('select from app.access_token where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s tokens and no others.');

create procedure test.add_token(name text, days integer) language sql as $$
  select app.add_access_token(gen_random_uuid(), sha256('another'), name, array['sync:read'], '2026-03-07Z',
    '2026-03-07Z'::timestamptz + days * interval '1 day')
$$;
call test.be(test.ada());
select throws_ok('select hash from app.access_token', '42501', 'permission denied for table access_token',
  'The server cannot read what a token is recognised by.');
select throws_ok($$ update app.access_token set scopes = array['sync:write'] $$, '42501',
  'permission denied for table access_token', 'A token can do no more than it was made for.');
select throws_ok($$ update app.access_token set expires_at = 'infinity' $$, '42501',
  'permission denied for table access_token', 'A token lives no longer than it was made for.');

select throws_ok($$ call test.add_token('Forever', 367) $$, '23514',
  'new row for relation "access_token" violates check constraint "access_token_expiry_invalid"',
  'A token for longer than a year is refused.');
select throws_ok($$ call test.add_token('Yesterday''s', -1) $$, '23514',
  'new row for relation "access_token" violates check constraint "access_token_expiry_invalid"',
  'A token that is over when it is made is refused.');
select throws_ok($$ call test.add_token('', 1) $$, '23514',
  'new row for relation "access_token" violates check constraint "access_token_name_invalid"',
  'A token without a name is refused.');
select lives_ok(
  $$ do 'begin for n in 2 .. 20 loop call test.add_token(n::text, 1); end loop; end' $$, 'There is room for twenty tokens.');
select throws_ok($$ call test.add_token('one more', 1) $$, 'BM409', 'no room for another token',
  'There is room for no more.');

-- Binding by a token: whose it is, what it is recognised by, what for, and when.

select lives_ok($$ select app.bind(test.ada(), null, test.ada(), sha256('program of Ada'), 'sync:read', '2026-03-07Z') $$,
  'A program with a token is bound as its person.');
select is(app.uid(), test.ada(), 'Bound by a token, the transaction acts for its person.');
select throws_ok($$ select app.bind(test.ada(), null, test.ada(), sha256('guess'), 'sync:read', '2026-03-07Z') $$, 'BM401',
  'that token has ended', 'Who only knows which token it is gets nowhere.');
select throws_ok($$ select app.bind(test.ben(), null, test.ada(), sha256('program of Ada'), 'sync:read', '2026-03-07Z') $$,
  'BM401', 'that token has ended', 'A token opens nobody else''s account.');
select throws_ok($$ select app.bind(test.ada(), null, test.ada(), sha256('program of Ada'), 'sync:read', '2026-09-06 18:00Z') $$,
  'BM401', 'that token has ended', 'A token is over at its time.');
select throws_ok($$ select app.bind(test.ada(), null, test.ada(), sha256('program of Ada'), 'sync:write', '2026-03-07Z') $$,
  'BM403', 'that token does not allow it', 'A token does what it was made for, and nothing else.');
select throws_ok(
  $$ select app.bind(test.ada(), test.umbrella(), test.ada(), sha256('program of Ada'), 'sync:read', '2026-03-07Z') $$,
  'BM404', 'not an active member of that organization', 'A token opens no company that is not its person''s.');
reset role;

-- The record (policy audit_event_self).

select is(test.each('select from app.audit_event where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'What happened to an account is for its person alone to read.');
select is(
  test.each($$ insert into app.audit_event (uid, happened_at, action, request_id, source)
    values (test.ada(), now(), 'sign-in.ended', gen_random_uuid(), 'nowhere') $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody writes into the record of somebody else.');
select is(test.each($$ update app.audit_event set source = 'elsewhere' where uid = test.ada() $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What was recorded is changed by nobody.');
select is(test.each('delete from app.audit_event where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What was recorded is removed by nobody.');
select is(test.each('select from app.audit_event where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s record and no other.');

select * from finish();
rollback;
