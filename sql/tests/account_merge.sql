-- Two accounts of one person that become one.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(35);
\ir support/cast.sql

-- Ada's account is to end in Frank's, who has agreed (support/cast.sql).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended.

create procedure test.take_over(stays uuid) language plpgsql as $$
begin
  call test.be(stays);
  perform app.take_over_account(test.ada(), row(gen_random_uuid(), '198.51.100.0/24', '2026-03-06 18:29Z')::app.origin);
end
$$;
-- What is asked and agreed to (policy account_merge_of_either).

select is(test.each('select uid, into_uid from app.account_merge'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'That two accounts are to become one is for these two to see.');
select is(test.each('select code_digest from app.account_merge'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The code is of use to nobody.');
select is(test.each('update app.account_merge set into_uid = test.eve()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody agrees but by the function that has seen the code.');
select is(test.each('select from app.account_merge', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees those of the bound user and no others.');
select is(test.each($$ insert into app.account_merge (uid, code_digest, opened_at, good_until)
    values (test.eve(), sha256('1'), now(), now()) $$, 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 42501, other company 1, stranger 42501, unbound 42501',
  'Nobody''s account is to end but by themself.');

-- The code (policy account_merge_delivering).

reset role;
set local role breathmaster_worker;
select throws_ok('select from app.account_merge', '42501', 'no mail is being delivered in this transaction',
  'The worker sees none without a moment.');
do $$ begin perform set_config('app.delivering', '2026-03-06 17:59Z', true); end $$;
select is(test.rows('select from app.account_merge'), 0::bigint, 'The worker sees none that was asked after its moment.');
do $$ begin perform set_config('app.delivering', '2026-03-06 18:00Z', true); end $$;
select is(test.rows('select from app.account_merge'), 1::bigint, 'The worker sees those that were asked by its moment.');
select throws_ok('update app.account_merge set uid = test.eve()', '42501', 'permission denied for table account_merge',
  'The worker ends nobody else''s account.');
do $$ begin perform set_config('app.delivering', '', true); end $$;
reset role;

reset role;
set local role breathmaster_owner;
do $$ begin perform app.forget_account_merges('2026-03-06 18:29Z'); end $$;
reset role;
select is((select count(*) from app.account_merge), 1::bigint, 'A code that is good is kept.');

-- Going over from one to the other.

call test.be(test.frank());
select is(app.enter_account_that_goes(sha256('code to merge'), '2026-03-06 18:29Z'), test.ada(), 'Who has the code sees what would come,');
select is(current_setting('app.uid'), test.ada()::text, 'as the one who gave it.');
call test.be(test.ada());
select is(app.enter_account_that_goes(sha256('code to merge'), '2026-03-06 18:29Z'), null, 'One''s own code leads nowhere,');
select is(current_setting('app.uid'), '', 'and binds nobody.');
call test.be(test.ada());
select is(app.enter_account_that_stays('2026-03-06 18:29Z'), test.frank(), 'Who gave the code sees what the one who agreed has.');
call test.be(test.eve());
select is(app.enter_account_that_stays('2026-03-06 18:29Z'), null, 'Nobody is gone over to who has not agreed.');
call test.be(test.eve());
select is(app.agree_to_account_merge(sha256('code to merge'), '2026-03-06 18:29Z'), false, 'The first who agrees is the one,');
select is(app.enter_account_that_goes(sha256('code to merge'), '2026-03-06 18:29Z'), null, 'and nobody else sees anything by the code.');
call test.be(test.frank());
select is(app.agree_to_account_merge(sha256('code to merge'), '2026-03-06 18:30Z'), false, 'A code that is over is nobody''s.');

-- The end of one.

select throws_ok('call test.take_over(test.eve())', 'BM404', 'both have not said yes', 'Nobody is taken over by who has not agreed,');
select throws_ok('call test.take_over(test.frank())', 'BM404', 'both have not said yes', 'and nobody who has not confirmed.');
call test.be(test.frank());
select is(app.confirm_account_merge(test.frank(), '2026-03-06 18:29Z'), false, 'The one that stays can''t confirm it.');
call test.be(test.ada());
select is(app.confirm_account_merge(test.eve(), '2026-03-06 18:29Z'), false, 'The one that ends says in which.');
select is(app.confirm_account_merge(test.frank(), '2026-03-06 18:30Z'), false, 'Later than the code it is over.');
select is(app.confirm_account_merge(test.frank(), '2026-03-06 18:29Z'), true, 'Then both have said yes.');
select throws_ok('call test.take_over(test.frank())', 'BM409', 'the last owner', 'No company is left without its last owner.');
reset role;
update app.member set role = 'owner' where uid = test.ben();
-- Eve, a friend of Frank's, has blocked Ada, and as many others as there is room for; so has he blocked her.
insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
values (least(test.eve(), test.frank()), greatest(test.eve(), test.frank()), test.eve(), now());
insert into app.block (uid, blocked_uid) values (test.eve(), test.ada()), (test.frank(), test.ada());
insert into app.block (uid, blocked_uid) select test.eve(), gen_random_uuid() from generate_series(1, 999);
-- The stranger, a friend of Ada's, asks anew. Those whom Frank has removed take no place of those who do.
insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
values (least(test.stranger(), test.ada()), greatest(test.stranger(), test.ada()), test.ada(), now());
with person as (
  insert into app.user (uid) select gen_random_uuid() from generate_series(1, 100) returning uid
)
insert into app.friendship (uid, friend_uid, asked_by, declined_at, withdrawn_at, ended_at)
select least(uid, test.frank()), greatest(uid, test.frank()), uid, now(), now(), now() from person;
call test.take_over(test.frank());
select is(current_setting('app.uid'), test.frank()::text, 'Afterwards the transaction is the one''s that stays.');
reset role;
select is_empty('select from app.user where uid = test.ada()', 'The other account is gone,');
select results_eq($$ select count(*) > 0 from app.session where uid = test.frank() and device_id = 'laptop' $$, 'values (true)',
  'its sessions are here,');
select results_eq($$ select distinct taken_over_at from app.session where uid = test.frank() and device_id = 'laptop' $$,
  $$ values ('2026-03-06 18:29Z'::timestamptz) $$, 'which say when they came,');
select results_eq('select uid from app.block where blocked_uid = test.frank()', 'values (test.eve())',
  'who blocked it has blocked the one that stays,');
select is_empty(
  $$ select from app.friendship
     where test.eve() in (uid, friend_uid) and test.frank() in (uid, friend_uid) and accepted_at is not null $$,
  'and is no friend of theirs any more,');
select results_eq($$ select asked_by from app.friendship where test.frank() in (uid, friend_uid) and declined_at is null $$,
  'values (test.stranger())', 'a friend of the one that is gone has asked the one that stays,');
select is_empty('select from app.block where test.ada() in (uid, blocked_uid)', 'nobody''s block is of the one that is gone,');
select is_empty($$ select address from app.email_claim where mailbox = 'ada@acme.example' $$,
  'and what lets somebody in is free.');

select * from finish();
rollback;
