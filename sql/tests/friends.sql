-- Friends: a pair that both have said yes to, known to the two of them.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(33);
\ir support/cast.sql

-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.

-- The pair of Ada and Frank (policy friendship_of_either). The server reads a pair
-- and ends it; to ask and to accept it has to call the function, which knows who
-- asked.

select is(test.each('select from app.friendship where test.ada() in (uid, friend_uid)'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A friendship is seen by its two people and nobody else.');
select is(test.each('select from app.friendship'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'Without a condition everyone finds their own friendships.');
select is(test.each('delete from app.friendship'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A friendship is ended by either of the two and nobody else.');
select is(test.each('update app.friendship set accepted_at = now()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server accepts nothing by an update.');
select is(
  test.each($$ insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
    values (least(test.ada(), app.uid()), greatest(test.ada(), app.uid()), test.ada(), now()) $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server makes no friendship by an insert.');
select is(test.each('select from app.friendship where test.ada() in (uid, friend_uid)', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 1, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s friendships and no others.');
select is(
  test.each($$ insert into app.friendship (uid, friend_uid, asked_by)
    values (least(test.ada(), test.ben()), greatest(test.ada(), test.ben()), test.ada()) $$, 'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes no friendship between two others.');

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
select is_empty('select from app.friendship', 'A refused request leaves nothing behind.');
call test.be_unbound();
select throws_ok('select app.befriend(test.ada())', '42501', 'no principal is bound to this transaction',
  'Nobody asks unbound.');

call test.be(test.stranger());
select is(app.befriend(test.ada()), 'requested', 'Who takes requests can be asked.');
select is(app.befriend(test.ada()), 'requested', 'Asking again does not make an answer.');
select results_eq('select asked_by, accepted_at from app.friendship', 'select test.stranger(), null::timestamptz',
  'A request names who asked, and is not accepted by that.');

-- A request gives neither side anything to see: Ada shows her practice to friends,
-- and is none yet.
select is(test.names_on('friends'), 'nobody', 'Having asked shows nobody''s practice.');
reset role;
select is(test.each('select from app.friendship where test.stranger() in (uid, friend_uid)'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 1, unbound 42501',
  'A request is seen by who asked and who was asked, and not by their friends.');

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
call test.be(test.ada());
select is(test.rows('delete from app.friendship where test.frank() in (uid, friend_uid)'), 1::bigint,
  'Ada ends her friendship with Frank.');
select is(test.names_on('friends'), 'Ada', 'Frank has left Ada''s board.');
call test.be(test.frank());
select is(test.names_on('friends'), 'Frank', 'Ada has left Frank''s board.');
select is(app.befriend(test.ada()), 'requested', 'After the end one has to ask anew.');
reset role;

-- The shape of a pair, which holds even for the superuser: two rows for one pair, or
-- a third person who asked for it, would each be a way around the rules above.

select throws_ok(
  $$ insert into app.friendship (uid, friend_uid, asked_by)
     values (greatest(test.eve(), test.ben()), least(test.eve(), test.ben()), test.eve()) $$, '23514',
  'new row for relation "friendship" violates check constraint "friendship_in_order"',
  'A pair is kept once, the smaller uid first.');
select throws_ok(
  $$ insert into app.friendship (uid, friend_uid, asked_by)
     values (least(test.eve(), test.ben()), greatest(test.eve(), test.ben()), test.ada()) $$, '23514',
  'new row for relation "friendship" violates check constraint "friendship_asked_by_one_of_them"',
  'A pair was asked for by one of the two.');

select * from finish();
rollback;
