-- Who is asking, and what a person says about themself.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(41);

-- On a new connection the settings do not exist yet. This comes before the cast,
-- whose making binds people.
select throws_ok('select app.uid()', '42501', 'no principal is bound to this transaction',
  'On a new connection there is no user, and asking for one is an error.');
select throws_ok('select app.organization_id()', '42501', 'no principal is bound to this transaction',
  'On a new connection there is no organization, and asking for one is an error.');

\ir support/cast.sql

-- Unbound on a connection that was bound before. A pooled connection is in this
-- state between two requests: the setting is there, and empty.

call test.be_unbound();
select throws_ok('select app.uid()', '42501', 'no principal is bound to this transaction',
  'On a used connection the last user is gone, and asking for one is an error.');
select throws_ok('select app.organization_id()', '42501', 'no principal is bound to this transaction',
  'On a used connection the last organization is gone, and asking for one is an error.');

-- Binding: one person, and one company where one is named. A refusal comes as an
-- error whose code the server turns into an answer: BM401 for a person who is not
-- there, BM404 for a company that is not theirs, whether or not it exists.

call test.be(test.ada());
select is(app.uid(), test.ada(), 'After binding, the transaction acts for that user.');
select is(app.organization_id(), null, 'A person bound without an organization acts for themself.');

call test.be(test.ada(), test.acme());
select is(app.organization_id(), test.acme(), 'A member can be bound to their organization.');

select throws_ok('select app.bind(gen_random_uuid())', 'BM401', 'unknown user',
  'Nobody can be bound who does not exist.');
-- With which error depends on the plan; what matters is that it is one.
select throws_like('select app.bind(null)', '%',
  'Binding nobody is refused rather than taken as unbinding.');
select throws_ok('select app.bind(test.frank(), test.acme())', 'BM404', 'not an active member of that organization',
  'Who belongs to no company cannot be bound to one.');
select throws_ok('select app.bind(test.eve(), test.acme())', 'BM404', 'not an active member of that organization',
  'A member of one company cannot be bound to another.');
select throws_ok('select app.bind(test.eve(), gen_random_uuid())', 'BM404', 'not an active member of that organization',
  'A company that does not exist looks like one that the user is no member of.');

-- Each refusal was caught, and the transaction goes on as before it.
select is(app.uid(), test.ada(), 'A refused binding leaves the user as they were.');
select is(app.organization_id(), test.acme(), 'A refused binding leaves the organization as it was.');

call test.be(test.ada());
select is(app.organization_id(), null, 'Binding without an organization lets go of the last one.');

-- Registering: the one way in that needs nobody bound.

call test.be_unbound();
select app.register() as newcomer \gset
select is(app.uid(), :'newcomer'::uuid, 'Who registers is bound, and the transaction can go on as them.');
select results_eq('select uid from app.user', array[:'newcomer'::uuid],
  'Who registers sees themself and nobody else.');
select results_eq('select uid, epoch from app.game_state', format('values (%L::uuid, 1)', :'newcomer'),
  'Who registers has a game state in its first epoch.');
select is_empty(
  $$ select from app.user where share_progress or share_streaks or allow_friend_requests or auto_accept_friends
       or share_detailed_progress
       or global_board or friends_board or company_board $$,
  'Nothing is shared until the person says so.');

-- app.user, as the server sees it (policy user_self).
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.

select is(test.each('select from app.user where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A user''s row is seen by that user alone.');
select is(test.each('select from app.user'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'Without a condition everyone finds one row: their own.');
select is(test.each($$ update app.user set display_name = 'Mallory', share_progress = true where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A profile is changed by its user alone.');
select is(test.each('delete from app.user where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server deletes no user.');

call test.be(test.ada());
select throws_ok('update app.user set uid = test.ben()', '42501', 'permission denied for table user',
  'Nobody becomes someone else by an update.');
select throws_ok($$ update app.user set created_at = '2020-01-01' $$, '42501', 'permission denied for table user',
  'Nobody makes their account older.');
reset role;

-- app.user, as the functions of its owner see it (policy user_self). Forced row
-- security holds them to the bound user too, so a mistake in one of them cannot
-- show or touch another person.

select is(test.each('select from app.user', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'A function of the owner sees the bound user''s row and no other.');
select is(test.each('delete from app.user where uid = test.ada()', 'breathmaster_owner'),
  'herself BM409, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Who is the last owner of a company that others are members of stays until it is somebody else''s.');
update app.member set role = 'owner' where uid = test.ben();
select is(test.each('delete from app.user where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner can delete the bound user and nobody else.');
select is(test.each('insert into app.user (uid) values (gen_random_uuid())', 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner can make no user other than the one it bound.');

-- app.user, as the boards see it (policy user_named): every name, for whoever is
-- bound. Which names come up is decided by the standings beside them.

select is(test.each('select uid, display_name, avatar_url from app.user where uid = test.ada()', 'breathmaster_boards'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'A board can put a name to any standing, and only for someone who is bound.');

-- Sign-ins (policy refresh_token_self). Only hashes are kept, and even those are
-- for nobody else to see, prolong or revoke.

select is(test.each('select from app.refresh_token where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A sign-in is seen by its user alone.');
select is(test.each($$ update app.refresh_token set expires_at = 'infinity' where uid = test.ada() $$),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A sign-in is prolonged for its user alone.');
select is(test.each('delete from app.refresh_token where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A sign-in is ended by its user alone.');
select is(
  test.each($$ insert into app.refresh_token (uid, family, current_hash, expires_at)
    values (test.ada(), gen_random_uuid(), sha256('forged'), 'infinity') $$),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody signs in as someone else.');
select is(test.each('select from app.refresh_token where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s sign-ins and no others.');

-- Constraint names are the codes that a client is shown, so the names are part of
-- the API and the messages are compared whole.

call test.be(test.ada());
select throws_ok($$ update app.user set display_name = '' $$, '23514',
  'new row for relation "user" violates check constraint "user_display_name_invalid"',
  'An empty name is refused by its code.');
select throws_ok($$ update app.user set display_name = repeat('a', 161) $$, '23514',
  'new row for relation "user" violates check constraint "user_display_name_invalid"',
  'A name of 161 code points is refused by its code.');
select lives_ok($$ update app.user set display_name = repeat(U&'\+01F469\200D\+01F4BB', 40) $$,
  'One of 40 joined emoji is not.');
select throws_ok($$ update app.user set display_name = U&'a\0301' $$, '23514',
  'new row for relation "user" violates check constraint "user_display_name_invalid"',
  'A name that is not in normal form is refused, so that equal names are equal text.');
select throws_ok($$ update app.user set avatar_url = 'http://pictures.example/ada' $$, '23514',
  'new row for relation "user" violates check constraint "user_avatar_url_invalid"',
  'A picture that is not fetched over https is refused by its code.');
select lives_ok($$ update app.user set display_name = null, avatar_url = null $$,
  'A name and a picture can be taken back.');

select * from finish();
rollback;
