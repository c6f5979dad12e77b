-- Who somebody is to a provider of OpenID Connect, and nonces that were used.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(28);
\ir support/cast.sql

-- Ada has linked an identity, with a nonce (support/cast.sql).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended.

-- Identities (policy identity_self).

select is(test.each('select issuer, address from app.identity where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Who somebody is to a provider is for them to see.');
select is(test.each('select subject from app.identity'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Their name there is of use to nobody.');
select is(test.each('delete from app.identity'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'No way in is taken away but by the function that counts them.');
select is(test.each('select from app.identity where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s identities and no others.');
select is(test.each($$ insert into app.identity (uid, issuer, subject, linked_at)
    values (test.frank(), 'https://accounts.example', 'frank', now()) $$, 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 1, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner links nothing to anybody but the bound user.');

-- The identity that somebody shows (policy identity_identified).

reset role;
set local role breathmaster_worker;
select is_empty('select uid from app.identity', 'The worker sees no identity unless one is shown.');
do $$ begin perform set_config('app.identified', 'https://accounts.example ada', true); end $$;
select results_eq('select uid from app.identity', 'values (test.ada())', 'The worker sees whose it is that is shown, and no other.');
select throws_ok('delete from app.identity', '42501', 'permission denied for table identity', 'The worker takes none away.');
do $$ begin perform set_config('app.identified', '', true); end $$;

-- Nonces (policy spent_nonce_delivering).

select throws_ok('select from app.spent_nonce', '42501', 'no mail is being delivered in this transaction',
  'The worker sees no nonce without a moment.');
do $$ begin perform set_config('app.delivering', '2026-03-06 17:59Z', true); end $$;
select is(test.rows('select from app.spent_nonce'), 0::bigint, 'The worker sees none that was used after its moment,');
select throws_ok($$ insert into app.spent_nonce values (sha256('1'), '2026-03-06 18:00Z', '2026-03-06 18:10Z') $$, '42501',
  'new row violates row-level security policy for table "spent_nonce"', 'and uses none then.');
do $$ begin perform set_config('app.delivering', '', true); end $$;
reset role;
select is(test.each('select from app.spent_nonce'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads no nonce.');
set local role breathmaster_owner;
select is(app.spend_nonce(sha256('nonce'), '2026-03-06 18:09Z', '2026-03-06 18:19Z'), false, 'A nonce is good once,');
select is(app.spend_nonce(sha256('nonce'), '2026-03-06 18:10Z', '2026-03-06 18:20Z'), true,
  'and forgotten when nothing with it is good any more.');
reset role;

-- Coming in.

create function test.enter(subject text, address text default null, nonce text default gen_random_uuid()::text) returns text
  language sql as $$
  select e.outcome || ' ' || case e.entered when test.ada() then 'ada' when test.frank() then 'frank' else coalesce('somebody', '') end
  from app.enter_by_identity('https://accounts.example', subject, address, address, sha256(nonce::bytea), '2026-03-06 18:11Z',
    '2026-03-06 18:21Z') as e
$$;
set local role breathmaster_api;
select is(test.enter('ada'), 'known ada', 'Whose identity it is comes in,');
select is(current_setting('app.uid'), test.ada()::text, 'and the transaction is theirs.');
select is(test.enter('new', nonce => 'twice'), 'new somebody', 'Whose it is not yet has an account from then on,');
select is(test.enter('new'), 'known somebody', 'which is the same the next time.');
select is(test.enter('ada', nonce => 'twice'), 'spent somebody', 'A nonce lets nobody in twice,');
select is(current_setting('app.uid'), '', 'and binds nobody.');
select is(test.enter('other', 'ADA@acme.example'), 'address taken somebody', 'An address that is somebody''s makes no other account,');
select is(current_setting('app.uid'), '', 'and doesn''t let into that one.');
select is(test.enter('fresh', 'fresh@acme.example'), 'new somebody', 'An address that is nobody''s comes along,');
select is(array(select address from app.email_claim), array['fresh@acme.example'], 'and is theirs.');

-- Leaving.

call test.be(test.ada());
select throws_ok($$ select app.link_identity('https://accounts.example', 'another', null, null, sha256('3'), '2026-03-06 18:11Z', '2026-03-06 18:21Z') $$,
  'BM409', 'another identity of that provider is linked', 'One account has one identity of a provider.');
call test.be(test.frank());
select throws_ok($$ select app.link_identity('https://accounts.example', 'ada', null, null, sha256('4'), '2026-03-06 18:11Z', '2026-03-06 18:21Z') $$,
  'BM409', 'the identity is another account''s', 'One identity is one account''s.');
call test.be(test.ada());
select is(app.unlink_identity('https://accounts.example'), true, 'A way in is given up where there is another one.');
reset role;
delete from app.recovery_code;
delete from app.password;
call test.be(test.frank());
select app.link_identity('https://accounts.example', 'frank', null, null, sha256('5'), '2026-03-06 18:11Z', '2026-03-06 18:21Z');
select throws_ok($$ select app.unlink_identity('https://accounts.example') $$, 'BM409', 'there would be no way into the account',
  'The last way in is not given up.');

select * from finish();
rollback;
