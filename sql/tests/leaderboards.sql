-- Boards: who is on them, who sees them, and nothing but what was agreed to.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(114);
\ir support/cast.sql

-- A metric that a scope must not show is not a column of its view. The lists are
-- complete, so a column that is added is noticed as well as one that is lost.

select columns_are('board', 'global',
  array['period', 'entry_id', 'uid', 'is_mine', 'display_name', 'avatar_url', 'stats_shown',
    'weekly_xp', 'weekly_xp_at', 'weekly_xp_before', 'weekly_streak', 'weekly_streak_at', 'weekly_streak_before'],
  'The global board has XP and streak.');
select columns_are('board', 'global_total', array['uid', 'total_xp', 'longest_streak', 'total_sessions'],
  'Beside it stands what people reached in all time, and want seen.');
select columns_are('board', 'friends',
  array['period', 'entry_id', 'uid', 'is_mine', 'display_name', 'avatar_url',
    'weekly_xp', 'weekly_xp_at', 'weekly_xp_before', 'weekly_streak', 'weekly_streak_at', 'weekly_streak_before',
    'total_sessions', 'total_sessions_at', 'favorite_patterns', 'total_xp', 'longest_streak'],
  'The friends board has XP, streak, sessions and favourite patterns, and what was reached in all time.');
select columns_are('board', 'company',
  array['organization_id', 'period', 'entry_id', 'uid', 'is_mine', 'display_name', 'avatar_url',
    'weekly_minutes', 'weekly_minutes_at', 'weekly_minutes_before',
    'weekly_consistency', 'weekly_consistency_at', 'weekly_consistency_before',
    'team_challenge_participation', 'team_challenge_participation_at'],
  'A company''s board has minutes, consistency and participation, and neither XP nor streak.');

-- One week of three boards, as each viewer finds it. Ada shows everything, Ben
-- to his company, Frank to his friends, Eve to all and to hers.

create function test.boards() returns text language sql
  as $$ select format('%s / %s / %s', test.names_on('global'), test.names_on('friends'), test.names_on('company')) $$;
call test.be(test.ada(), test.acme());
select is(test.boards(), 'Ada, Eve / Ada, Frank / Ada, Ben', 'Ada at Acme sees everyone who shows themself to her.');
call test.be(test.ada());
select is(test.boards(), 'Ada, Eve / Ada, Frank / nobody', 'Ada for herself sees no company''s board.');
call test.be(test.ben(), test.acme());
select is(test.boards(), 'Ada, Eve / nobody / Ada, Ben', 'Ben sees his colleague as a colleague, not as a friend.');
call test.be(test.frank());
select is(test.boards(), 'Ada, Eve / Ada, Frank / nobody', 'Frank sees his friend as a friend, not as a colleague.');
call test.be(test.eve(), test.umbrella());
select is(test.boards(), 'Ada, Eve / nobody / Eve', 'The owner of another company sees that company''s people.');
call test.be(test.stranger());
select is(test.boards(), 'Ada, Eve / nobody / nobody', 'A stranger sees the global board.');
reset role;

-- The same row by row, and with nobody bound.
--
-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.

select is(test.each('select from board.global where uid = test.ada()'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'Ada''s week on the global board is there for everyone who is bound.');
select is(test.each('select from board.friends where uid = test.ada()'),
  'herself 2, colleague 0, friend 2, other company 0, stranger 0, unbound 42501',
  'Ada''s periods on the friends board are there for her and her friend.');
select is(test.each('select from board.company where uid = test.ada()'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'Ada''s week on the company''s board is there within the company.');
select is(test.each('select from board.global where uid = test.ben()'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Ben is not on the global board, and unbound even his absence is an error.');
select is(test.each('select from board.friends where uid = test.ben()'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Ben is on nobody''s friends board.');
select is(test.each('select from board.company where organization_id = test.umbrella()'),
  'herself 0, colleague 0, friend 0, other company 1, stranger 0, unbound 42501',
  'Asking for another company by its id shows nothing.');

-- Nothing can be written through a view.
select is(test.each('update board.company set weekly_minutes = 0'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A board cannot be written.');

-- A metric of another scope is no column of the view, so that no statement of the server's can ask for it.
call test.be(test.ada(), test.acme());
select throws_ok(format('select %I from board.%I', metric, scope), '42703', format('column "%s" does not exist', metric),
  format('The %s board has no %s.', scope, metric))
from (values
  ('global', 'weekly_minutes'), ('global', 'weekly_consistency'), ('global', 'total_sessions'), ('global', 'total_xp'),
  ('global', 'team_challenge_participation'), ('global', 'favorite_patterns'),
  ('friends', 'weekly_minutes'), ('friends', 'weekly_consistency'), ('friends', 'team_challenge_participation'),
  ('company', 'weekly_xp'), ('company', 'weekly_streak'), ('company', 'total_sessions'), ('company', 'favorite_patterns')
) as other (scope, metric);
reset role;

-- The values are those of the ledger, under the names of the scope.

call test.be(test.ada(), test.acme());
select results_eq(
  $$ select weekly_xp, weekly_streak, weekly_xp_at, weekly_streak_at from board.global where uid = test.ada() $$,
  $$ values (100, 3, '2026-03-06 18:00Z'::timestamptz, '2026-03-05 08:00Z'::timestamptz) $$,
  'The global board shows the week''s XP and streak and since when.');
select results_eq(
  $$ select weekly_xp, weekly_streak, total_sessions from board.friends where uid = test.frank() and period = '2026-W10' $$,
  $$ values (400, 3, 40) $$,
  'The friends board shows the week beside the sessions of all time.');
select results_eq(
  $$ select weekly_minutes, round(weekly_consistency::numeric, 4), weekly_minutes_at, weekly_consistency_at
     from board.company where uid = test.ben() $$,
  $$ values (100, 0.5714, '2026-03-06 18:00Z'::timestamptz, '2026-03-06 08:00Z'::timestamptz) $$,
  'A company''s board shows minutes and the share of days practised, and since when.');
reset role;

-- Underneath: the tables as the role that owns the views finds them. These are the
-- policies that make the boards: global_standing_everyone, standing_circle and
-- company_standing_colleagues. Read directly, nothing in a view can cover for them.

select is(test.each('select uid from app.global_standing where uid = test.ada()', 'breathmaster_boards'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'The global projection is there for everyone who is bound.');
select is(test.each('select uid from app.standing where uid = test.ada()', 'breathmaster_boards'),
  'herself 2, colleague 0, friend 2, other company 0, stranger 0, unbound 42501',
  'The standings are there for the circle.');
select is(test.each('select uid from app.company_standing where uid = test.ada()', 'breathmaster_boards'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s projection is there within the company.');

-- And as the owner's functions find them (policies standing_self, global_standing_self
-- and company_standing_self): each keeps the bound user's rows and can neither see,
-- change nor make anybody else's. Ben is bound to Ada's company and still cannot
-- reach her row on its board.

select is(test.each('select from app.pseudonym where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees who the bound user is under a pseudonym, and nobody else.');
select is(test.each('select from app.pseudonym'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server does not know who is behind a pseudonym.');
select is(test.each('select from app.pseudonym', 'breathmaster_boards'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nor do the boards.');
select is(test.each('select from app.global_total where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees what the bound user has reached in all time, and nobody else.');
select is(test.each('select from board.global_total where uid = test.ada()'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'What Ada has reached in all time, and wants seen, is there for everyone who is bound.');
select is(test.each('select from app.global_total where uid = test.ada()', 'breathmaster_boards'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'So it is underneath.');
select is(test.each('select from app.standing where uid = test.ada()', 'breathmaster_owner'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s standings and no others.');
select is(test.each('delete from app.standing where uid = test.ada()', 'breathmaster_owner'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner removes the bound user''s standings and no others.');
select is(
  test.each($$ insert into app.standing (uid, period, last_session_at, last_day_at, streak_at, with_friends, streak_shown)
    values (test.ada(), '2026-W11', now(), now(), now(), true, true) $$, 'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes standings for the bound user and nobody else.');

select is(test.each('select from app.global_standing where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s part of the global projection.');
select is(test.each('delete from app.global_standing where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner removes the bound user from the global projection and nobody else.');
select is(
  test.each($$ insert into app.global_standing (period, uid, weekly_xp, weekly_xp_at)
    values ('2026-W11', test.ada(), 9000, now()) $$, 'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner puts the bound user into the global projection and nobody else.');

select is(test.each('select from app.company_standing where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s part of a company''s projection.');
select is(test.each('delete from app.company_standing where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner removes the bound user from a company''s projection and nobody else.');
select is(
  test.each($$ insert into app.company_standing (organization_id, period, uid, weekly_minutes, weekly_minutes_at,
      weekly_consistency, weekly_consistency_at)
    values (test.acme(), '2026-W11', test.ada(), 9000, now(), 1, now()) $$, 'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner puts the bound user into a company''s projection and nobody else.');

-- Publishing: what a sync does at its end, for the bound user. The stranger gets the
-- highest score of all, which nobody is to see.

call test.be_unbound();
select throws_ok(
  $$ select app.publish_standings(null, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}') $$,
  '42501', 'no principal is bound to this transaction',
  'Nobody publishes unbound.');
call test.be(test.stranger());
select lives_ok('call test.practise(9999)', 'Who shows nothing has standings all the same.');
select is(test.boards(), 'Ada, Eve / nobody / nobody', 'Standings of who shows nothing reach no board.');

-- Membership is not agreement: a user who belongs to a company and shows nothing is not on its board either.
reset role;
insert into app.email_claim (uid, address) values (test.stranger(), 'sam@umbrella.example');
call test.be(test.stranger());
select app.join_organization(test.umbrella(), test.agreed(test.umbrella()), test.origin());
select is(test.boards(), 'Ada, Eve / nobody / Eve', 'Joining a company puts nobody on its board who did not agree.');
update app.user set share_progress = true, company_board = true;
select is(test.boards(), 'Ada, Eve / nobody / Eve, stranger', 'Agreeing does, at once, and on that board alone.');

-- What is published next replaces what was there: of the periods that changed, or of
-- all where none is named, those without numbers go everywhere, and nobody else's do.
select app.publish_standings(null, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
select is(test.boards(), 'Ada, Eve / nobody / Eve', 'Publishing no periods takes one''s own weeks off the boards.');
call test.be(test.eve(), test.umbrella());
select app.publish_standings(
  array['2026-W10', '2026-W11'], '{}', array['2026-W10', '2026-W11'], array[7, 8], array[1, 1], array[5, 6], array[1, 2], '{}', '{}', '{}',
  array['2026-03-08Z', '2026-03-10Z']::timestamptz[], array['2026-03-08Z', '2026-03-10Z']::timestamptz[],
  array['2026-03-08Z', '2026-03-10Z']::timestamptz[]);
select results_eq('select period, weekly_xp from board.global where uid = test.eve() order by period',
  $$ values ('2026-W10', 7), ('2026-W11', 8) $$,
  'Publishing again changes the weeks and adds new ones on the global board.');
select results_eq('select period, weekly_minutes from board.company order by period',
  $$ values ('2026-W10', 5), ('2026-W11', 6) $$,
  'Publishing again changes the weeks and adds new ones on the company''s board.');
select app.publish_standings(
  array['2026-W11', '2026-W12'], '{}', array['2026-W12'], array[9], array[1], array[7], array[1], '{}', '{}', '{}',
  array['2026-03-17Z']::timestamptz[], array['2026-03-17Z']::timestamptz[], array['2026-03-17Z']::timestamptz[]);
select results_eq('select period, weekly_xp from board.global where uid = test.eve() order by period',
  $$ values ('2026-W10', 7), ('2026-W12', 9) $$,
  'Publishing some weeks takes those of them without numbers off the global board, and leaves the others.');
select results_eq('select period, weekly_minutes from board.company order by period',
  $$ values ('2026-W10', 5), ('2026-W12', 7) $$,
  'Publishing some weeks takes those of them without numbers off the company''s board, and leaves the others.');
select app.publish_standings(
  null, '{}', array['2026-W10', '2026-W11'], array[7, 8], array[1, 1], array[5, 6], array[1, 2], '{}', '{}', '{}',
  array['2026-03-08Z', '2026-03-10Z']::timestamptz[], array['2026-03-08Z', '2026-03-10Z']::timestamptz[],
  array['2026-03-08Z', '2026-03-10Z']::timestamptz[]);

-- A change of mind is seen by the very next read, by anyone. All of what follows
-- happens in this one transaction, with no job, no sync and no commit in between.

-- Streaks: neither the number nor the moment it was reached, for that moment alone
-- tells that there is one and how it stands.
call test.be(test.ada(), test.acme());
update app.user set share_streaks = false;
call test.be(test.frank());
select results_eq('select weekly_xp, weekly_streak, weekly_streak_at from board.global where uid = test.ada()',
  'values (100, null::integer, null::timestamptz)',
  'Who stops showing their streak keeps their place and shows no streak on the global board.');
select results_eq(
  $$ select weekly_xp, weekly_streak, weekly_streak_at from board.friends where uid = test.ada() and period = '2026-W10' $$,
  'values (100, null::integer, null::timestamptz)',
  'Who stops showing their streak keeps their place and shows no streak to friends.');
call test.be(test.ada());
update app.user set share_streaks = true;
call test.be(test.frank());
select is((select weekly_streak from board.global where uid = test.ada()), 3, 'Showing it again brings it back to everyone.');
select is((select weekly_streak from board.friends where uid = test.ada() and period = '2026-W10'), 3,
  'Showing it again brings it back to friends.');

-- Each scope has its own switch, and there is one for all. After each change the
-- three boards are read again: the one that was left, and the two that were not.
call test.be(test.ada(), test.acme());
update app.user set global_board = false;
select is(test.boards(), 'Eve / Ada, Frank / Ada, Ben', 'Leaving the global board leaves that board alone.');
update app.user set friends_board = false;
select is(test.boards(), 'Eve / Frank / Ada, Ben', 'Leaving the friends board leaves that board alone.');
call test.be(test.frank());
select is(test.boards(), 'Eve / Frank / nobody', 'A friend sees at once that she left.');
call test.be(test.ada(), test.acme());
update app.user set company_board = false;
select is(test.boards(), 'Eve / Frank / Ben', 'Leaving the company''s board leaves the membership.');
update app.user set global_board = true, friends_board = true, company_board = true;
select is(test.boards(), 'Ada, Eve / Ada, Frank / Ada, Ben', 'Coming back needs no new practice.');
update app.user set share_progress = false;
select is(test.boards(), 'Eve / Frank / Ben', 'The master switch takes a person off every board.');
update app.user set share_progress = true;
select is(test.boards(), 'Ada, Eve / Ada, Frank / Ada, Ben', 'The master switch brings back what was chosen before.');

-- What a friends board shows beyond the week is a choice of its own.
update app.user set share_detailed_progress = false;
call test.be(test.frank());
select results_eq(
  $$ select weekly_xp, weekly_streak, total_sessions, total_sessions_at, favorite_patterns
     from board.friends where uid = test.ada() and period = '2026-W10' $$,
  'values (100, 3, null::integer, null::timestamptz, null::text[])',
  'Who keeps the details to themself shows friends the week, and neither sessions nor patterns.');
select is((select total_sessions from board.friends where uid = test.frank() and period = '2026-W10'), 40,
  'What one keeps to oneself takes nothing from the others.');
call test.be(test.ada());
update app.user set share_detailed_progress = true;
call test.be(test.frank());
select results_eq(
  $$ select total_sessions, favorite_patterns from board.friends where uid = test.ada() and period = '2026-W10' $$,
  $$ values (40, array['chill']) $$, 'Showing the details again brings them back.');
call test.be(test.ada());
insert into app.state_entry (uid, field, key, value, written_at, labelled_at, device_id, sync_version)
select test.ada(), field, key, value, now(), now(), 'laptop', 1
from (values ('preferredPatterns', 'evening', '"boxing"'::jsonb), ('preferredPatterns', 'noon', '"<b>Ada</b>"'),
  ('preferredPatterns', 'night', '{"name": "chill"}'), ('reminderSettings', 'sound', '"bell"')) as entry (field, key, value);
call test.be(test.frank());
select is((select favorite_patterns from board.friends where uid = test.ada() and period = '2026-W10'), array['boxing', 'chill'],
  'Favourites are the names of patterns that a friend has set for their day, and nothing else that a device keeps there.');

-- Blocks. Each is off the other's boards, whoever of the two made it, and on those of
-- everybody else. On the global board ranks count both.
call test.be(test.ben());
select app.block_person(test.ada());
call test.be(test.ada());
select app.block_person(test.eve());
call test.be(test.ada(), test.acme());
select is(test.boards(), 'Ada / Ada, Frank / Ada', 'Whom Ada blocked, and who blocked her, are on none of her boards.');
select is(
  (select sum(people) from board.global_count where period = '2026-W10' and metric = 'weekly_xp' and level in (1, 2)),
  2::numeric, 'Ranks count somebody behind a block.');
call test.be(test.ben(), test.acme());
select is(test.boards(), 'Eve / nobody / Ben', 'Who blocked is on a board without the other.');
call test.be(test.eve(), test.umbrella());
select is(test.boards(), 'Eve / nobody / Eve', 'Who is blocked is on a board without the other.');
call test.be(test.frank());
select is(test.boards(), 'Ada, Eve / Ada, Frank / nobody', 'A block between two changes nothing for a third.');
reset role;
delete from app.block;
call test.be(test.ben());
delete from app.block;

-- Not even a friendship that stands beside a block opens a board.
reset role;
insert into app.block (uid, blocked_uid) values (test.frank(), test.ada());
call test.be(test.ada(), test.acme());
select is(test.boards(), 'Ada, Eve / Ada / Ada, Ben', 'A friend behind a block is off the friends board.');
reset role;
delete from app.block where uid = test.frank();

-- Leaving the company. The row on its board hangs on the membership and goes with
-- it. Ben sees that as well as those he leaves.
call test.be(test.ben(), test.acme());
select ok(app.end_membership(test.acme(), test.ben(), test.origin()), 'Ben leaves Acme, for himself alone.');
select is(test.names_on('company'), 'nobody', 'In the same transaction he is off its board, and it is closed to him.');
select throws_ok('select app.bind(test.ben(), test.acme())', 'BM404', 'not an active member of that organization',
  'Who left cannot be bound to the company any more.');
call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'Ada', 'His colleagues find him gone.');
call test.be(test.ben());
select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin());
select is(test.names_on('company'), 'Ada, Ben', 'Joining again puts him back as he had agreed.');
reset role;

-- Guests. A company that restricts itself to its domains has the people of those on its boards, and nobody who is there
-- for another reason. Frank is invited by an address elsewhere, which takes a company that doesn't.
call test.be(test.ada());
select app.change_organization(test.acme(), '{"domainRestricted": false}', test.origin());
select app.invite(test.acme(), gen_random_uuid(), 'frank@home.example', 'member', test.origin());
reset role;
set local role breathmaster_owner;
select app.record_email(test.frank(), 'frank@home.example');
call test.be(test.frank());
update app.user set company_board = true;
select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin());
reset role;
-- The board as Ada, Ben and Frank see it, and whether it is there for each of them.
create function test.at_acme() returns text language plpgsql as $$
declare
  viewer uuid;
  seen text[] := '{}';
begin
  foreach viewer in array array[test.ada(), test.ben(), test.frank()] loop
    call test.be(viewer, test.acme());
    seen := seen || format('%s%s', test.names_on('company'), case when app.is_guest_of(test.acme()) then ' for a guest' end);
  end loop;
  reset role;
  return array_to_string(seen, ' / ');
end
$$;
select is(test.at_acme(), 'Ada, Ben, Frank / Ada, Ben, Frank / Ada, Ben, Frank',
  'Where the domain doesn''t matter, whoever is a member is on the board.');
update app.organization set domain_restricted = true where organization_id = test.acme();
select is(test.at_acme(), 'Ada, Ben / Ada, Ben / nobody for a guest',
  'Where it does, a guest is on nobody''s board, and has none; who founded the company shows an address.');
call test.be(test.frank(), test.acme());
select results_eq($$ select app.company_guests() $$, $$ values (array[test.frank()]) $$, 'A guest is told that they are one.');
call test.be(test.eve(), test.umbrella());
select results_eq($$ select app.company_guests() $$, $$ values ('{}'::uuid[]) $$, 'Guests are those of the bound company.');
select ok(not app.is_guest_of(test.acme()), 'Nobody is a guest of a company that they don''t belong to.');
call test.be(test.frank());
select results_eq($$ select app.company_guests(), app.is_guest_of(test.acme()), app.is_guest_of(test.umbrella()) $$,
  $$ values ('{}'::uuid[], true, false) $$, 'Who is a guest is so whichever company is bound.');
select is(test.boards(), 'Ada, Eve / Ada, Frank / nobody', 'The other boards have nothing to do with it.');
reset role;
update app.organization set leaderboard_enabled = false where organization_id = test.acme();
call test.be(test.frank(), test.acme());
select is(test.names_on('company'), 'nobody', 'A board that is off looks the same to a guest as to the others.');
reset role;
update app.organization set leaderboard_enabled = true where organization_id = test.acme();
-- What makes somebody one of the domain, one by one, within this transaction.
update app.domain_claim set proved_at = null where organization_id = test.acme();
select is(test.at_acme(), 'Ada, Ben, Frank / Ada, Ben, Frank / Ada, Ben, Frank', 'A domain that isn''t proved keeps nobody out.');
update app.domain_claim set proved_at = now() where organization_id = test.acme();
update app.member set directory_user_id = (
    select directory_user_id from app.directory_user where organization_id = test.acme() and user_name = 'cara@acme.example')
where organization_id = test.acme() and uid = test.frank();
select is(test.at_acme(), 'Ada, Ben, Frank / Ada, Ben, Frank / Ada, Ben, Frank', 'Whom the directory knows is no guest.');
update app.member set directory_user_id = null where organization_id = test.acme() and uid = test.frank();
delete from app.email_claim where uid in (test.ada(), test.ben());
select is(test.at_acme(), 'nobody for a guest / Ben / nobody for a guest',
  'Who came by the domain stays without an address there; who founded the company doesn''t.');
set local role breathmaster_owner;
select app.record_email(test.ada(), 'Ada@ACME.example'), app.record_email(test.ben(), 'ben@acme.example');
select app.record_email(test.frank(), 'frank@mail.acme.example');
reset role;
select is(test.at_acme(), 'Ada, Ben / Ada, Ben / nobody for a guest', 'An address below the domain is not in it.');
insert into app.domain_claim (organization_id, domain, proved_at) values (test.acme(), 'mail.acme.example', now());
select is(test.at_acme(), 'Ada, Ben, Frank / Ada, Ben, Frank / Ada, Ben, Frank', 'An address in any of the domains is enough.');
delete from app.domain_claim where domain = 'mail.acme.example';
select is(test.at_acme(), 'Ada, Ben / Ada, Ben / nobody for a guest', 'It is so for as long as the company holds that domain.');
set local role breathmaster_owner;
select app.record_email(test.frank(), 'frank@acme.example');
reset role;
select is(test.at_acme(), 'Ada, Ben, Frank / Ada, Ben, Frank / Ada, Ben, Frank', 'Who shows an address in it is back at once.');
-- With whom that was so when they came, as with most who are invited, it is kept, and nobody looks for their addresses.
create procedure test.come_anew(variadic domains text[]) language plpgsql as $$
begin
  delete from app.member where organization_id = test.acme() and uid = test.frank();
  delete from app.email_claim where uid = test.frank();
  perform app.bind(test.frank());
  perform app.record_email(test.frank(), 'frank@' || d) from unnest(domains) as d;
  insert into app.member (organization_id, uid, role) values (test.acme(), test.frank(), 'member');
end
$$;
call test.come_anew('home.example', 'acme.example');
select is((select shown_domain from app.member where organization_id = test.acme() and uid = test.frank()), 'acme.example',
  'Who comes with an address in the domain is remembered with it,');
delete from app.email_claim where address = 'frank@acme.example';
select is(test.at_acme(), 'Ada, Ben / Ada, Ben / nobody for a guest', 'until the address goes,');
insert into app.domain_claim (organization_id, domain, proved_at) values (test.acme(), 'mail.acme.example', now());
call test.come_anew('mail.acme.example');
select is(test.at_acme(), 'Ada, Ben, Frank / Ada, Ben, Frank / Ada, Ben, Frank', 'whichever of the domains it is,');
delete from app.domain_claim where domain = 'mail.acme.example';
select is(test.at_acme(), 'Ada, Ben / Ada, Ben / nobody for a guest', 'or the domain does.');
delete from app.member where organization_id = test.acme() and uid = test.frank();

-- A projection cannot say more than the membership, not even when a superuser writes
-- it, and a period cannot be just any word.
select throws_ok(
  $$ insert into app.company_standing (organization_id, period, uid, weekly_minutes, weekly_minutes_at,
       weekly_consistency, weekly_consistency_at)
     values (test.umbrella(), '2026-W10', test.ada(), 1, now(), 1, now()) $$, '23503',
  'insert or update on table "company_standing" violates foreign key constraint "company_standing_member"',
  'Nobody is on the board of a company that they do not belong to.');
select throws_ok(
  $$ insert into app.standing (uid, period, last_session_at, last_day_at, streak_at, with_friends, streak_shown)
     values (test.ada(), 'W10', now(), now(), now(), true, true) $$, '23514',
  'new row for relation "standing" violates check constraint "standing_period_check"',
  'A period is an ISO week or all time.');

-- Counts. What changes a standing changes them in the same transaction, and folding
-- them changes nothing that anybody reads.
create function test.counts() returns text language sql as
  $$ select string_agg(bucket || ': ' || people, ', ' order by bucket)
     from (
       select bucket, sum(people) as people from board.global_count
       where period = '2026-W10' and metric = 'weekly_xp' and level in (0, 2)
       group by bucket having sum(people) <> 0
     ) as counted $$;
call test.be(test.ada());
select is(test.counts(), '7: 1, 100: 1', 'Ada and Eve are counted.');
update app.user set global_board = false where uid = test.ada();
select is(test.counts(), '7: 1', 'Who leaves the global board is counted no longer.');
select app.fold_global_tally(1000);
select is(test.counts(), '7: 1', 'Folding changes no count.');
select is((select sum(people) from board.global_count where level = 2), null, 'What is folded is counted once.');

-- Among equals. A board of a million has thousands of them, so whoever comes next has to be found by the index.
reset role;
create function test.plan(statement text) returns text language plpgsql as $$
declare
  line text;
  plan text := '';
begin
  set local enable_seqscan = off;
  set local enable_bitmapscan = off;
  for line in execute 'explain ' || statement loop
    plan := plan || line || e'\n';
  end loop;
  return plan;
end
$$;
select matches(test.plan(format($$ select from board.global where period = '2026-W10' and %1$s = 5
    and (%1$s_at, entry_id) > (now(), test.ada()) order by %1$s_at, entry_id limit 1 $$, metric)),
  'Index Cond: .*ROW\(' || metric || '_at', 'Who comes next with the same ' || metric || ' is found by the index.')
from unnest(array['weekly_xp', 'weekly_streak']) as metric;

select * from finish();
rollback;
