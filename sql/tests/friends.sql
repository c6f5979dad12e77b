-- Friends: a pair that both have said yes to, known to the two of them; invitation
-- codes; a no that is not heard; and blocks, which hide two people from each other.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(144);
\ir support/cast.sql

-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.

-- The pair of Ada and Frank. The server reads a pair through board.friend and changes
-- it through functions, which know who asked; of the table it has nothing.

select is(test.each('select from board.friend where uid in (test.ada(), test.frank())'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A friendship is seen by its two people and nobody else.');
select is(test.each('select from board.friend'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'Without a condition everyone finds their own friendships.');
select is(test.each('select from app.friendship'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads no table of friendships.');
select is(test.each('delete from app.friendship'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server ends no friendship by a delete.');
select is(test.each('update app.friendship set accepted_at = now()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server accepts nothing by an update.');
select is(
  test.each($$ insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
    values (least(test.ada(), app.uid()), greatest(test.ada(), app.uid()), test.ada(), now()) $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server makes no friendship by an insert.');
select is(test.each('select app.unfriend(test.frank())'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'Nobody ends anything unbound.');

-- Underneath, as the role that owns the view finds them (policy friendship_shown) and
-- as the owner's functions do (policy friendship_of_either).
select is(test.each('select uid from app.friendship where test.ada() in (uid, friend_uid)', 'breathmaster_boards'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A pair is shown to its two people.');
select is(test.each('select from app.friendship where test.ada() in (uid, friend_uid)', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s friendships and no others.');
select is(
  test.each($$ insert into app.friendship (uid, friend_uid, asked_by)
    values (least(test.ada(), test.ben()), greatest(test.ada(), test.ben()), test.ada()) $$, 'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes no friendship between two others.');

-- Whom the bound person finds on their list, and how they stand.
create function test.list() returns text language plpgsql as $$
declare
  found_there text;
begin
  select string_agg(format('%s %s %s',
      case uid when test.ada() then 'Ada' when test.ben() then 'Ben' when test.frank() then 'Frank' when test.eve() then 'Eve'
        when test.stranger() then 'stranger' else 'somebody' end,
      state, case when display_name is null then 'unnamed' else 'by name' end), ', ' order by state, display_name)
  into found_there from board.friend;
  return coalesce(found_there, 'nobody');
end
$$;

-- Asking. Whether somebody is not there or does not want to be asked must not
-- be told apart: else anybody could learn who uses this by trying. Code and text
-- are the same, and neither leaves a row.

call test.be(test.stranger());
select throws_ok('select app.befriend(test.ben())', 'BM404', 'nobody there to ask',
  'Who takes no requests cannot be asked.');
select throws_ok('select app.befriend(gen_random_uuid())', 'BM404', 'nobody there to ask',
  'Who does not exist answers like someone who takes no requests.');
select throws_ok('select app.befriend(null)', 'BM404', 'nobody there to ask',
  'Nobody in particular answers like someone who takes no requests.');
select throws_ok('select app.befriend(test.stranger())', 'BM422', 'nobody is their own friend',
  'Nobody asks themself.');
select is(test.list(), 'nobody', 'A refused request leaves nothing behind.');
select is(app.uid(), test.stranger(), 'Having asked at somebody''s door one is still oneself.');
call test.be_unbound();
select throws_ok('select app.befriend(test.ada())', '42501', 'no principal is bound to this transaction',
  'Nobody asks unbound.');

call test.be(test.stranger());
select is(app.befriend(test.ada()), 'requested', 'Who takes requests can be asked.');
select is(app.uid(), test.stranger(), 'Having been let in one is still oneself.');
select is(app.befriend(test.ada()), 'requested', 'Asking again does not make an answer.');
select is(test.list(), 'Ada requested unnamed', 'Who asked knows that, and no name yet.');

-- A request gives neither side anything to see: Ada shows her practice to friends,
-- and is none yet.
select is(test.names_on('friends'), 'nobody', 'Having asked shows nobody''s practice.');
call test.be(test.ada());
select is(test.list(), 'Frank friends by name, stranger received by name',
  'Who was asked sees by whom; a request names who asked.');
call test.be(test.frank());
select is(test.list(), 'Ada friends by name', 'A friend sees nothing of somebody else''s requests and friends.');
reset role;

-- The circle is what a friends board may speak of. Counted here, not named: Ada and
-- Frank have each other, the rest have themselves.
select is(test.each('select unnest(app.circle())', 'breathmaster_boards'),
  'herself 2, colleague 1, friend 2, other company 1, stranger 1, unbound 42501',
  'A circle is oneself and those with whom it is mutual; a request does not count.');

-- Answering: whoever was asked says the same words. It is the row that knows which
-- side asked, so saying them twice from one side is not an answer.

call test.be(test.eve());
select throws_ok('select app.befriend(test.stranger())', 'BM404', 'nobody there to ask',
  'A third person cannot slip into somebody else''s request.');
call test.be(test.ada());
select is(app.befriend(test.stranger()), 'friends', 'Who was asked accepts by saying the same.');
select is(app.befriend(test.stranger()), 'friends', 'Accepting again changes nothing.');
call test.be(test.stranger());
select is(app.befriend(test.ada()), 'friends', 'Who asked is told that they are friends now.');
select is(test.list(), 'Ada friends by name', 'Friends have names.');
select is(test.names_on('friends'), 'Ada', 'A friend who shows her practice to friends is on the board.');
reset role;
select is(test.each('select unnest(app.circle())', 'breathmaster_boards'),
  'herself 3, colleague 1, friend 2, other company 1, stranger 2, unbound 42501',
  'An accepted friend is in the circle of both, and of nobody else.');

-- Frank asked Ada, who takes requests; he does not, and answers all the same
-- when it was he who was asked before he closed the door.
call test.be(test.frank());
update app.user set allow_friend_requests = true;
call test.be(test.stranger());
select is(app.befriend(test.frank()), 'requested', 'Frank can be asked for a while.');
call test.be(test.frank());
update app.user set allow_friend_requests = false;
select is(app.befriend(test.stranger()), 'friends', 'A request from before can be accepted by who takes no more.');

-- Ending it takes effect at once, on both sides, in the same transaction, and needs
-- nobody's consent.
call test.be(test.frank());
select lives_ok('select app.unfriend(test.ada())', 'Frank ends his friendship with Ada.');
select is(test.names_on('friends'), 'Frank', 'Ada has left Frank''s board.');
call test.be(test.ada());
select is(test.names_on('friends'), 'Ada', 'Frank has left Ada''s board.');
call test.be(test.frank());
select is(app.befriend(test.ada()), 'requested', 'After the end one has to ask anew.');
select lives_ok('select app.unfriend(test.ada())', 'Frank thinks better of it.');
call test.be(test.ada());
select is(test.list(), 'stranger friends by name', 'A request that was withdrawn is gone.');

-- A silent no. The one who asked goes on seeing a request that waits; the one who
-- declined sees none, and hears of none by asking being repeated.

call test.be(test.frank());
select is(app.befriend(test.ada()), 'requested', 'Frank asks once more.');
call test.be(test.ada());
select is(test.list(), 'stranger friends by name, Frank received by name', 'Who withdrew and asks again is heard.');
select lives_ok('select app.unfriend(test.frank())', 'Ada declines.');
select is(test.list(), 'stranger friends by name', 'Who declined sees the request no more.');
call test.be(test.frank());
select is(test.list(), 'stranger friends by name, Ada requested unnamed', 'Who was declined sees a request that waits.');
select is(app.befriend(test.ada()), 'requested', 'Asking again is answered as if it waited.');
select lives_ok('select app.unfriend(test.ada())', 'Frank withdraws what was declined.');
select is(test.list(), 'stranger friends by name', 'What was withdrawn is gone for who asked.');
select is(app.befriend(test.ada()), 'requested', 'Asking anew is answered like the first time.');
call test.be(test.ada());
select is(test.list(), 'stranger friends by name', 'Withdrawing and asking anew is no way around a no.');
update app.user set auto_accept_friends = true;
call test.be(test.frank());
select app.unfriend(test.ada());
select is(app.befriend(test.ada()), 'requested', 'Nor is that she accepts everybody now.');
call test.be(test.ada());
update app.user set auto_accept_friends = false;
select is(app.befriend(test.frank()), 'friends', 'Who declined can change their mind: the other has asked already.');

-- A no to someone who has withdrawn is over when one asks oneself: then it is the
-- other's to say.
call test.be(test.frank());
select app.unfriend(test.ada());
select app.befriend(test.ada());
update app.user set allow_friend_requests = true;
call test.be(test.ada());
select app.unfriend(test.frank());
call test.be(test.frank());
select app.unfriend(test.ada());
call test.be(test.ada());
select is(app.befriend(test.frank()), 'requested', 'Who declined and asks later asks like anybody.');
call test.be(test.frank());
select is(test.list(), 'stranger friends by name, Ada received by name', 'The other is asked and has not answered.');
select is(app.befriend(test.ada()), 'friends', 'And may accept.');

-- Accepting at once, for those who want that.
call test.be(test.eve());
update app.user set auto_accept_friends = true;
call test.be(test.frank());
select throws_ok('select app.befriend(test.eve())', 'BM404', 'nobody there to ask',
  'Accepting at once is not taking requests.');
call test.be(test.eve());
update app.user set allow_friend_requests = true;
call test.be(test.frank());
select is(app.befriend(test.eve()), 'friends', 'Who accepts at once is a friend by being asked.');
select app.unfriend(test.eve());
reset role;

-- Codes (policies friend_code_self and friend_code_found).

select is(test.each('select from app.friend_code where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A code is read by its own person, not even by a friend.');
select is(test.each($$ update app.friend_code set digest = sha256('mine') where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A code is changed by its own person.');
select is(test.each('delete from app.friend_code where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A code is taken back by its own person.');
select is(
  test.each($$ insert into app.friend_code (uid, seed, digest) values (test.ben(), gen_random_uuid(), sha256('mine')) $$),
  'herself 42501, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody makes a code for another.');
select is(test.each('select uid from app.friend_code', 'breathmaster_boards'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'What finds a code by its digest finds anybody''s, if somebody asks.');
select is(test.each('select seed from app.friend_code', 'breathmaster_boards'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What finds a code cannot read what it comes of.');
select is(test.each('select from app.friend_code where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s code alone.');

-- What one redeemed, in one line.
create function test.redeem(code text) returns text language sql as $$
  select format('%s %s', case friend when test.ada() then 'Ada' when test.ben() then 'Ben' else coalesce(friend::text, 'nobody') end,
    coalesce(state, 'none'))
  from app.redeem_friend_code(sha256(code::bytea))
$$;
call test.be(test.ben());
insert into app.friend_code (uid, seed, digest) values (test.ben(), gen_random_uuid(), sha256('code of Ben'));
call test.be(test.eve());
select is(test.redeem('code of nobody'), 'nobody none', 'A code that was never given finds nobody.');
select is(test.redeem('code of Ben'), 'Ben requested', 'A code asks even someone who takes no requests.');
select is(test.redeem('code of Ben'), 'Ben requested', 'A code that is given again asks no more than once.');
call test.be(test.ben());
select is(test.list(), 'Eve received by name', 'Who gave the code away sees who came by it.');
select app.unfriend(test.eve());
call test.be(test.eve());
select is(app.befriend(test.ben()), 'requested', 'Someone who was declined waits.');
call test.be(test.ben());
select is(test.list(), 'nobody', 'And is not heard.');
update app.user set auto_accept_friends = true;
call test.be(test.eve());
select is(test.redeem('code of Ben'), 'Ben friends', 'A code takes a no back, and is accepted at once where that is wanted.');
select is(test.redeem('code of Ben'), 'Ben friends', 'Among friends it changes nothing.');
select app.unfriend(test.ben());
call test.be(test.ben());
select throws_ok($$ select test.redeem('code of Ben') $$, 'BM422', 'one''s own code', 'Nobody comes by their own code.');
update app.friend_code set made_at = now() - interval '30 days 1 second';
call test.be(test.eve());
select is(test.redeem('code of Ben'), 'nobody none', 'A code is over after thirty days.');
call test.be(test.ben());
update app.friend_code set digest = sha256('new code of Ben'), made_at = now();
call test.be(test.eve());
select is(test.redeem('code of Ben'), 'nobody none', 'A code that was replaced finds nobody.');
select is(test.redeem('new code of Ben'), 'Ben friends', 'The new one does.');
select app.unfriend(test.ben());
reset role;
select throws_ok(
  $$ insert into app.friend_code (uid, seed, digest) values (test.eve(), gen_random_uuid(), sha256('new code of Ben')) $$, '23505',
  'duplicate key value violates unique constraint "friend_code_taken"', 'A code is one person''s.');

-- Ten within the hour, whatever they find (policy friend_code_attempt_self).
select is(test.each('select from app.friend_code_attempt where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server cannot touch what counts the attempts.');
select is(test.each('select from app.friend_code_attempt where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s attempts and no others.');
select is(
  test.each($$ insert into app.friend_code_attempt (uid, since, attempts) values (test.frank(), now(), 1) $$, 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 1, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner counts for the bound user and nobody else.');
select is((select attempts from app.friend_code_attempt where uid = test.eve()), 8, 'Each code that was given is counted, good or not.');
call test.be(test.eve());
select test.redeem('code of nobody');
select is(test.redeem('new code of Ben'), 'Ben friends', 'The tenth within the hour is looked at.');
select app.unfriend(test.ben());
select results_eq($$ select friend, state, retry_after from app.redeem_friend_code(sha256('new code of Ben')) $$,
  'values (null::uuid, null::text, 3600)', 'The eleventh is not, though it is good, and is told how long to wait.');
select is(test.list(), 'nobody', 'And it asks nobody.');
reset role;
update app.friend_code_attempt set since = since - interval '59 minutes 59 seconds' where uid = test.eve();
call test.be(test.eve());
select is((select retry_after from app.redeem_friend_code(sha256('code of nobody'))), 1, 'The wait grows shorter.');
reset role;
update app.friend_code_attempt set since = since - interval '1 second' where uid = test.eve();
call test.be(test.eve());
select is(test.redeem('new code of Ben'), 'Ben friends', 'After the hour it begins anew.');
select app.unfriend(test.ben());
reset role;
select is((select attempts from app.friend_code_attempt where uid = test.eve()), 1, 'And so does the count.');

-- Whom one removed waits, whatever one says to everybody else: the same is answered as to
-- whom one blocked. It is for the one who removed to say yes again.

call test.be(test.ada());
update app.user set auto_accept_friends = true;
select app.unfriend(test.frank());
select is(test.list(), 'stranger friends by name', 'Who removes somebody has one friend less.');
call test.be(test.frank());
select is(test.list(), 'stranger friends by name', 'So has who is removed, and nothing says why.');
select is(app.befriend(test.ada()), 'requested', 'Who was removed is no friend again by asking, though she accepts everybody.');
select is(test.redeem('code of Ada'), 'Ada requested', 'Nor by a code from before.');
select is(test.list(), 'stranger friends by name, Ada requested unnamed', 'They find their request waiting.');
select is(test.names_on('friends'), 'Frank', 'And see nobody''s practice by it.');
call test.be(test.ada());
select is(test.list(), 'stranger friends by name', 'Who removed them hears none of it.');
call test.be(test.frank());
select app.unfriend(test.ada());
select is(test.list(), 'stranger friends by name', 'What they withdraw is gone for them.');
select is(app.befriend(test.ada()), 'requested', 'Withdrawing and asking anew is no way around it.');
call test.be(test.ada());
update app.friend_code set digest = sha256('new code of Ada'), made_at = now() + interval '1 second';
call test.be(test.frank());
select is(test.redeem('new code of Ada'), 'Ada requested', 'By a code that was made since they ask, and to say yes is hers.');
select is(test.redeem('new code of Ada'), 'Ada requested', 'However often they give it.');
call test.be(test.ada());
select is(test.list(), 'stranger friends by name, Frank received by name', 'That she hears.');
call test.be(test.frank());
select app.unfriend(test.ada());
select is(app.befriend(test.ada()), 'requested', 'Withdrawing that is no way around it either.');
call test.be(test.ada());
select is(test.list(), 'stranger friends by name', 'And what they ask without the code is not heard.');
select is(app.befriend(test.frank()), 'friends', 'Who removed somebody can change her mind: the other has asked already.');
select app.unfriend(test.frank());
select is(app.befriend(test.frank()), 'requested', 'If not, she asks like anybody.');
call test.be(test.frank());
select is(test.list(), 'stranger friends by name, Ada received by name', 'The other is asked and has not answered.');
select is(app.befriend(test.ada()), 'friends', 'And may accept.');
select app.unfriend(test.ada());
select is(app.befriend(test.ada()), 'friends', 'Who has removed somebody is not removed: she accepts him at once, as everybody.');
call test.be(test.ada());
update app.user set auto_accept_friends = false;
update app.friend_code set digest = sha256('code of Ada'), made_at = now();
reset role;

-- Blocks (policies block_self, block_of_either and block_between). Ada's only one is of
-- somebody who doesn't exist.

select is(test.each('select from app.block where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A block is read by who made it.');
select is(test.each('insert into app.block (uid, blocked_uid) values (app.uid(), gen_random_uuid())'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server makes no block by an insert, which would leave the friendship.');
call test.be(test.frank());
select throws_ok('select app.block_person(test.frank())', '23514',
  'new row for relation "block" violates check constraint "block_of_another"', 'Nobody blocks themself.');
select app.block_person(test.ada());
reset role;
select is(test.each('select from app.block where blocked_uid = test.ada()'),
  'herself 0, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'Who is blocked cannot see by whom, nor that they are.');
select is(test.each('delete from app.block where blocked_uid = test.ada()'),
  'herself 0, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A block is ended by who made it.');
select is(test.each('select uid from app.block where blocked_uid = test.ada()', 'breathmaster_boards'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'The boards know of it for both, and for nobody else.');
select is(test.each('select from app.block where blocked_uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A function of the owner knows of it for both, and for nobody else.');
select is(test.each('insert into app.block (uid, blocked_uid) values (test.frank(), test.ben())', 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 1, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner blocks for the bound user and nobody else.');

-- The friendship is over for both, and asking again is answered as if it waited.
call test.be(test.frank());
select is(test.list(), 'stranger friends by name', 'Who blocked has one friend less.');
select throws_ok('select app.befriend(test.ada())', 'BM409', 'blocked by oneself', 'Whom one blocked one unblocks first.');
select throws_ok($$ select test.redeem('code of Ada') $$, 'BM409', 'blocked by oneself', 'A code changes nothing about that.');
insert into app.friend_code (uid, seed, digest) values (test.frank(), gen_random_uuid(), sha256('code of Frank'));
update app.user set auto_accept_friends = true;
call test.be(test.ada());
select is(test.list(), 'stranger friends by name', 'Who is blocked has one friend less, and nothing says why.');
select is(app.befriend(test.frank()), 'requested', 'Who is blocked is answered like someone who waits.');
select is((select state from app.redeem_friend_code(sha256('code of Frank'))), 'requested', 'Even by a code.');
select is(test.list(), 'stranger friends by name, Frank requested unnamed', 'And finds their request waiting.');
call test.be(test.frank());
select is(test.list(), 'stranger friends by name', 'Who blocked sees none of it.');
update app.user set allow_friend_requests = false;
call test.be(test.ada());
select app.unfriend(test.frank());
select throws_ok('select app.befriend(test.frank())', 'BM404', 'nobody there to ask',
  'Who takes no requests takes none from who is blocked, in the same words.');
select app.redeem_friend_code(sha256('code of Frank'));
call test.be(test.frank());
delete from app.block;
select is(test.list(), 'stranger friends by name', 'What was asked during the block doesn''t come up after it.');

-- A request that waited when the block was made goes on waiting for who asked. One that
-- the blocker had made is withdrawn.
call test.be(test.ada());
update app.user set auto_accept_friends = false;
call test.be(test.ben());
select is(app.befriend(test.ada()), 'requested', 'Ben asks Ada.');
call test.be(test.ada());
select app.block_person(test.ben());
call test.be(test.ben());
select is(test.list(), 'Ada requested unnamed', 'His request waits as before.');
select app.unfriend(test.ada());
call test.be(test.ada());
delete from app.block where blocked_uid = test.ben();
select is((select state from app.redeem_friend_code(sha256('new code of Ben'))), 'friends', 'After the block all is as between strangers.');
call test.be(test.ben());
select app.unfriend(test.ada());
select app.befriend(test.ada());
select app.block_person(test.ada());
call test.be(test.ada());
select is(test.list(), 'stranger friends by name, Frank requested unnamed', 'A request by who then blocks is withdrawn.');
reset role;
delete from app.block where uid = test.ben();

-- Bounds. A request holds a place, so that accepting it can't fail for the one who asked.
create procedure test.crowd(around uuid, size integer, accepted boolean) language sql as $$
  with person as (
    insert into app.user (uid) select gen_random_uuid() from generate_series(1, size) returning uid
  )
  insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
  select least(uid, around), greatest(uid, around), case when accepted is null then uid else around end, case when accepted then now() end
  from person;
$$;
call test.crowd(test.eve(), 99, false);
call test.be(test.eve());
select is(app.befriend(test.ada()), 'requested', 'The hundredth request is one.');
call test.be(test.frank());
update app.user set allow_friend_requests = true;
call test.be(test.eve());
select throws_ok('select app.befriend(test.frank())', 'BM409', 'no room for another request', 'One more is not.');
select is(app.befriend(test.ada()), 'requested', 'Asking for the same again needs no place.');
reset role;
call test.crowd(test.eve(), 400, true);
call test.be(test.frank());
update app.user set auto_accept_friends = false;
select is(app.befriend(test.eve()), 'requested', 'Who accepts everybody and has no room lets a request wait.');
call test.be(test.eve());
select throws_ok('select app.befriend(test.frank())', 'BM409', 'no room for another friend', 'And can accept none.');
call test.be(test.ada());
select is(app.befriend(test.eve()), 'friends', 'What Eve asked for before has its place.');
call test.be(test.eve());
select app.unfriend(test.ada());
select is(app.befriend(test.frank()), 'friends', 'A place that is free again can be taken.');
reset role;
call test.crowd(test.ben(), 500, null);
call test.be(test.ben());
update app.user set allow_friend_requests = true;
call test.be(test.ada());
select throws_ok('select app.befriend(test.ben())', 'BM404', 'nobody there to ask', 'Who has 500 requests to answer takes no more.');
select throws_ok($$ select test.redeem('new code of Ben') $$, 'BM404', 'nobody there to ask', 'Not by a code either.');
call test.be(test.stranger());
select app.block_person(gen_random_uuid()) from generate_series(1, 999);
select app.block_person(test.ben());
select lives_ok('select app.block_person(test.ben())', 'Blocking the same again needs no place.');
select throws_ok('select app.block_person(test.eve())', 'BM409', 'no room for another block', 'One blocks no more than a thousand.');
reset role;

-- Who is deleted leaves no block behind, whoever deletes them and on whose behalf.
do $$ begin perform set_config('app.uid', '', true); end $$;
delete from app.user where uid = test.ben();
select is_empty('select from app.block where blocked_uid = test.ben()', 'Who is deleted is in nobody''s blocks.');

-- The shape of a pair, which holds even for the superuser: two rows for one pair, or
-- a third person who asked for it, would each be a way around the rules above.

select throws_ok(
  $$ insert into app.friendship (uid, friend_uid, asked_by)
     values (greatest(test.eve(), test.stranger()), least(test.eve(), test.stranger()), test.eve()) $$, '23514',
  'new row for relation "friendship" violates check constraint "friendship_in_order"',
  'A pair is kept once, the smaller uid first.');
select throws_ok(
  $$ insert into app.friendship (uid, friend_uid, asked_by)
     values (least(test.eve(), test.stranger()), greatest(test.eve(), test.stranger()), test.ada()) $$, '23514',
  'new row for relation "friendship" violates check constraint "friendship_asked_by_one_of_them"',
  'A pair was asked for by one of the two.');
select throws_ok(
  $$ update app.friendship set declined_at = now() where accepted_at is not null $$, '23514', null,
  'What was declined is not accepted.');
select throws_ok(
  $$ update app.friendship set ended_at = now() where accepted_at is not null $$, '23514', null,
  'What was ended is not accepted.');

select * from finish();
rollback;
