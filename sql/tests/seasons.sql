-- Seasons: a week is closed, its ranks are written to history, and history shows
-- nobody who would not be shown today.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(71);
\ir support/cast.sql

-- The boards of history have what the boards have, and which place it was.

select columns_are('board', 'global_season_rank',
  array['period', 'metric', 'rank', 'entry_id', 'uid', 'is_mine', 'display_name', 'avatar_url', 'value', 'achieved_at'],
  'A global board that is history has places and names.');
select columns_are('board', 'company_season_rank',
  array['organization_id', 'period', 'metric', 'rank', 'entry_id', 'uid', 'is_mine', 'display_name', 'avatar_url', 'value',
    'achieved_at'],
  'A company''s board that is history has places and names.');

-- Each viewer of Ada's place, as the lines of leaderboards.sql are to be read.

select is(test.each('select from board.global_season_rank where uid = test.ada()'),
  'herself 2, colleague 2, friend 2, other company 2, stranger 2, unbound 42501',
  'Ada''s places on the global boards are there for everyone who is bound.');
select is(test.each('select from board.company_season_rank where uid = test.ada()'),
  'herself 2, colleague 2, friend 0, other company 0, stranger 0, unbound 42501',
  'Ada''s places on the company''s boards are there within the company.');
select is(test.each('select from board.global_season'),
  'herself 2, colleague 2, friend 2, other company 2, stranger 2, unbound 42501',
  'How many there were, and the digest, are for everyone who is bound.');
select is(test.each('select from board.company_season where organization_id = test.acme()'),
  'herself 3, colleague 3, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s seasons are there within the company.');
select is(test.each('select from board.season'),
  'herself 1, colleague 1, friend 1, other company 1, stranger 1, unbound 42501',
  'Which weeks are closed is for everyone who is bound.');

-- Underneath, as the role that owns the views finds the tables.

select is(test.each('select from app.global_season_rank where uid = test.ada()', 'breathmaster_boards'),
  'herself 2, colleague 2, friend 2, other company 2, stranger 2, unbound 42501',
  'The global history is there for everyone who is bound.');
select is(test.each('select from app.company_season_rank where uid = test.ada()', 'breathmaster_boards'),
  'herself 2, colleague 2, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s history is there within the company.');
select is(test.each('select from app.company_season where organization_id = test.acme()', 'breathmaster_boards'),
  'herself 3, colleague 3, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s totals and digests are there within the company.');

-- Nobody but the job writes, and no function of the owner reads.

select is(test.each('delete from app.global_season_rank'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server deletes no history.');
select is(test.each('update app.company_season_rank set rank = 1'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server changes no history.');
select is(test.each('select from app.global_season_rank where uid = test.ada()', 'breathmaster_owner'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s places on the global boards, and no others.');
select is(test.each('select from app.company_season_rank where uid = test.ada()', 'breathmaster_owner'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s places on companies'' boards, and no others.');

-- The job, in its role: one week at a time, and none unless it says which.

create procedure test.close(week text) language plpgsql as $$
begin
  perform set_config('app.closing_season', week, true);
  set local role breathmaster_worker;
end
$$;
create function test.seen_by_job() returns text language sql as $$
  select format('%s global, %s company, %s and %s places, %s company boards',
    (select count(*) from app.global_standing), (select count(*) from app.company_standing),
    (select count(*) from app.global_season_rank), (select count(*) from app.company_season_rank),
    (select count(*) from app.company_season))
$$;
call test.close('2026-W10');
select is(test.seen_by_job(), '2 global, 3 company, 0 and 0 places, 0 company boards', 'The job sees the week that it is at.');
call test.close('2026-W05');
select is(test.seen_by_job(), '0 global, 0 company, 4 and 4 places, 6 company boards', 'The job sees no other week.');
call test.close('2026-W10');
select throws_ok(
  $$ insert into app.global_season_rank values (test.ada(), '2026-W05', 'weekly_xp', 9, 9, 9, now(), test.ada()) $$, '42501',
  'new row violates row-level security policy for table "global_season_rank"', 'The job writes no other week''s global ranks.');
select throws_ok(
  $$ insert into app.company_season_rank values (test.acme(), test.ben(), '2026-W05', 'weekly_minutes', 9, 9, 9, now()) $$,
  '42501', 'new row violates row-level security policy for table "company_season_rank"',
  'The job writes no other week''s ranks of a company.');
select throws_ok(
  $$ insert into app.company_season (organization_id, period, metric) values (test.acme(), '2026-W05', 'weekly_minutes') $$,
  '42501', 'new row violates row-level security policy for table "company_season"',
  'The job makes no other week''s board of a company.');
call test.close('');
select throws_ok('select test.seen_by_job()', '42501', 'no season is being closed in this transaction',
  'A job that is at no week sees nothing, and is told.');
reset role;

-- Finalising W10 in steps of one rank, as a job does that is killed after each. The
-- digest is that of the ranks in their order, however they were written.

create function test.ranks(week text, measure text default 'weekly_xp') returns text language sql as $$
  select coalesce(string_agg(format('%s %s %s', rank, display_name, value), ', ' order by value desc, achieved_at), 'nobody')
  from board.global_season_rank where period = week and metric = measure
$$;
create function test.company_ranks(week text, measure text default 'weekly_minutes') returns text language sql as $$
  select coalesce(string_agg(format('%s %s %s', rank, display_name, value), ', ' order by value desc, achieved_at), 'nobody')
  from board.company_season_rank where period = week and metric = measure
$$;
create procedure test.finalise_the_rest() language plpgsql as $$
begin
  while app.finalise_season('2026-W10', 1, '2026-03-12 18:00Z') loop end loop;
end
$$;
-- The stranger ties with Ada, later than she.
call test.be(test.stranger());
update app.user set share_progress = true, share_streaks = true, global_board = true;
select app.publish_standings(
  array['2026-W10'], '{}', array['2026-W10'], array[100], array[1], array[50], array[1], '{}', '{}', '{}',
  array['2026-03-07Z']::timestamptz[], array['2026-03-07Z']::timestamptz[], array['2026-03-07Z']::timestamptz[]);

-- A week is over everywhere on Monday at 18:00 UTC, and may be closed 72 hours later: whoever asks is told so.
select throws_ok($$ select app.close_seasons(array['2026-W09', '2026-W10'], '2026-03-12 17:59:59.999Z') $$, '22023',
  'not over yet, and 72 hours later: 2026-W10', 'No week is closed before its time.');
select throws_ok($$ select app.close_seasons(array['2026-W53'], '2027-01-07 17:59:59.999Z') $$, '22023',
  'not over yet, and 72 hours later: 2026-W53', 'Nor one that reaches over into the next year.');
select is_empty($$ select from board.season where period in ('2026-W09', '2026-W53') $$, 'And none beside it.');
select results_eq($$ select app.close_seasons(array['2026-W09', '2026-W10', '2026-W05'], '2026-03-12 18:00Z') $$,
  $$ values ('2026-W10') $$, 'Closing answers what is to be finalised: no week without standings, and none that is history.');
select is_empty($$ select from board.global_season where period = '2026-W10' $$, 'A closed week is not history yet.');
select ok(app.finalise_season('2026-W10', 1, '2026-03-12 18:00Z'), 'After one rank there is more to do.');
select is(test.ranks('2026-W10', 'weekly_streak'), 'nobody', 'A board that is half written shows nobody.');
call test.finalise_the_rest();
select is(test.ranks('2026-W10'), '1 Eve 300, 2 Ada 100, 2 stranger 100', 'Ties share a rank, in the order of the board.');
select is(test.ranks('2026-W10', 'weekly_streak'), '1 Eve 3, 1 Ada 3, 3 stranger 1', 'After a tie the next rank counts all of it.')
  where test.eve() < test.ada()
union all
select is(test.ranks('2026-W10', 'weekly_streak'), '1 Ada 3, 1 Eve 3, 3 stranger 1', 'After a tie the next rank counts all of it.')
  where test.eve() > test.ada();
reset role;
select results_eq(
  $$ select people, digest from app.global_season where period = '2026-W10' and metric = 'weekly_xp' $$,
  $$ select 3, sha256(sha256(sha256(
       convert_to(format('1,%s,300;', test.eve()), 'UTF8'))
       || convert_to(format('2,%s,100;', test.ada()), 'UTF8'))
       || convert_to(format('2,%s,100;', test.stranger()), 'UTF8')) $$,
  'The digest is a chain over the ranks in their order.');

-- Who knows all of the chain but one could try the one. What is published can be told by
-- nobody who hasn't the salt, which is each board's own.
select ok(every(octet_length(salt) = 32) and count(distinct salt) = count(*), 'Each board that is history has a salt of its own.')
from (select salt from app.global_season union all select salt from app.company_season) as salted;
select results_eq(
  $$ select period, metric, digest from board.global_season order by 1, 2 $$,
  $$ select period, metric, sha256(salt || digest) from app.global_season where finalised_at is not null order by 1, 2 $$,
  'The digest of a global board is published behind its salt.');
select set_config('app.uid', test.ada()::text, true), set_config('app.organization_id', test.acme()::text, true);
select results_eq(
  $$ select period, metric, digest from board.company_season order by 1, 2 $$,
  $$ select period, metric, sha256(salt || digest) from app.company_season
     where organization_id = test.acme() and finalised_at is not null order by 1, 2 $$,
  'So is a company''s.');
select is(test.each('select salt from app.global_season'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server reads no salt of a global board, for nobody.');
select is(test.each('select salt from app.company_season'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nor of a company''s.');
select columns_are('board', 'global_season', array['period', 'metric', 'people', 'digest', 'finalised_at'],
  'A global board that is history says how many there were, and has no salt.');
select columns_are('board', 'company_season', array['organization_id', 'period', 'metric', 'people', 'digest', 'finalised_at'],
  'A company''s says as much.');
call test.be(test.stranger());
select is(app.finalise_season('2026-W10', 1000, '2026-03-13Z'), false, 'What is finalised is not finalised again.');
select results_eq($$ select distinct finalised_at from board.global_season where period = '2026-W10' $$,
  $$ values ('2026-03-12 18:00Z'::timestamptz) $$, 'It keeps the time at which it was.');
call test.be(test.ada(), test.acme());
select is(test.company_ranks('2026-W10'), '1 Ben 100, 2 Ada 50', 'A company''s board is history in its own metric.');
select is((select people from board.company_season where period = '2026-W10' and metric = 'team_challenge_participation'), 0,
  'A board without anybody is history too.');

-- A guest of the company is hidden from its history as from its board, and nobody moves up. Ben is one without the domain
-- by which he came, and an address in it.
reset role;
update app.member set domain = null where uid = test.ben();
delete from app.email_claim where uid = test.ben();
call test.be(test.ada(), test.acme());
select is(test.company_ranks('2026-W10'), '2 Ada 50', 'A guest is gone from history, and nobody moves up.');
select is((select people from board.company_season where period = '2026-W10' and metric = 'weekly_minutes'), 2,
  'How many there were counts guests too.');
call test.be(test.ben(), test.acme());
select is(test.company_ranks('2026-W10'), 'nobody', 'A guest sees nothing of it,');
select is_empty('select from board.company_season', 'and not that there was any.');
reset role;
update app.organization set domain_restricted = false where organization_id = test.acme();
call test.be(test.ben(), test.acme());
select is(test.company_ranks('2026-W10'), '1 Ben 100, 2 Ada 50', 'Who is no guest any more has their place again.');
reset role;
update app.organization set domain_restricted = true where organization_id = test.acme();
update app.member set domain = 'acme.example' where uid = test.ben();

-- A week in which a company had its board off. Nobody expected to be shown, so nobody is, also later.
update app.organization set leaderboard_enabled = false where organization_id = test.acme();
call test.be(test.eve());
call test.practise_in('2026-W06', 300);
call test.be(test.ada());
call test.practise_in('2026-W06', 100);
select app.close_seasons(array['2026-W06'], '2026-02-12 18:00Z');
reset role;
select results_eq($$ select distinct organization_id from app.company_season where period = '2026-W06' $$,
  $$ values (test.umbrella()) $$, 'Who has no board when a week is closed has no history of it.');
update app.organization set leaderboard_enabled = true where organization_id = test.acme();
call test.be(test.ada(), test.acme());
select is(test.names_on('company', '2026-W06'), 'nobody', 'Before the last rank is written the week''s board is empty,');
call test.be(test.eve(), test.umbrella());
select is(test.names_on('company', '2026-W06'), 'Eve', 'where another company''s is there.');
select ok(not app.finalise_season('2026-W06', 1000, '2026-02-12 18:00Z'), 'The rest of it becomes history.');
call test.be(test.ada(), test.acme());
select is(test.company_ranks('2026-W06'), 'nobody', 'And afterwards it is empty too.');
select is_empty($$ select from board.company_season where period = '2026-W06' $$, 'It is no season of the company''s.');
reset role;
select is_empty('select * from board.week_without_history', 'Then no week is left to be looked after.');
set local role breathmaster_owner;
select is_empty($$ select * from app.audit_season('2026-W06') $$, 'An audit finds nothing wrong with that.');
call test.be(test.ada(), test.acme());

-- What comes later moves nothing, on no board, and is kept for the person all the same.

call test.practise(9999);
select is(test.ranks('2026-W10'), '1 Eve 300, 2 Ada 100, 2 stranger 100', 'A late session moves no rank of history.');
select results_eq(
  $$ select weekly_xp, total_sessions from board.friends where uid = test.ada() and period = '2026-W10' $$,
  'values (100, 40)', 'It moves nothing on the friends boards of that week.');
select is((select weekly_xp from board.global where uid = test.ada() and period = '2026-W10'), 100, 'Nor on the board as it was.');
select app.publish_standings(
  array['2026-W10', 'all-time'], '{}', array['all-time'], '{}', '{}', '{}', '{}', array[1000], array[12], array[41], array['2026-03-14Z']::timestamptz[], array['2026-03-14Z']::timestamptz[],
  array['2026-03-14Z']::timestamptz[]);
select is((select total_sessions from board.friends where uid = test.ada() and period = '2026-W10'), 41,
  'What counts over all time counts.');
select is(test.names_on('friends'), 'Ada, Frank', 'What is taken away later takes nobody off a closed week.');
call test.be(test.frank());
update app.user set share_progress = true, global_board = true;
select is(test.ranks('2026-W10'), '1 Eve 300, 2 Ada 100, 2 stranger 100', 'Who joins the board later has no place in its history.');

-- Who goes is gone, at once, and the others stay where they were.

call test.be(test.eve());
update app.user set global_board = false;
call test.be(test.stranger());
select is(test.ranks('2026-W10'), '2 Ada 100, 2 stranger 100', 'Who opts out is gone, and nobody moves up.');
call test.be(test.eve());
update app.user set global_board = true;
call test.be(test.ada());
update app.user set share_streaks = false;
call test.be(test.stranger());
select is(test.ranks('2026-W10', 'weekly_streak'), '1 Eve 3, 3 stranger 1', 'Who hides their streak is gone from streaks.');
select is(test.ranks('2026-W10'), '1 Eve 300, 2 Ada 100, 2 stranger 100', 'Who comes back has their place again.');
select app.block_person(test.ada());
select is(test.ranks('2026-W10'), '1 Eve 300, 2 stranger 100', 'Whom one blocks is gone.');
call test.be(test.ada());
select is(test.ranks('2026-W10'), '1 Eve 300, 2 Ada 100', 'Who blocked one is gone.');
select app.block_person(test.ben());
call test.be(test.ada(), test.acme());
select is(test.company_ranks('2026-W10'), '2 Ada 50', 'The same in a company.');
delete from app.block;
update app.user set company_board = false;
call test.be(test.ben(), test.acme());
select is(test.company_ranks('2026-W10'), '1 Ben 100', 'Who leaves the company''s board is gone from its history.');
call test.be(test.ada(), test.acme());
update app.user set company_board = true;
call test.be(test.ben(), test.acme());
do $$ begin perform app.end_membership(test.acme(), test.ben(), test.origin()); end $$;
select is(test.company_ranks('2026-W10'), 'nobody', 'Who left the company sees its history no more.');
call test.be(test.ada(), test.acme());
select is(test.company_ranks('2026-W10'), '2 Ada 50', 'Who left the company is gone from its history.');

reset role;
delete from app.user where uid = test.eve();
call test.be(test.frank());
select is(test.ranks('2026-W10'), '2 Ada 100, 2 stranger 100', 'Who is deleted is gone.');
select results_eq(
  $$ select people, octet_length(digest) from board.global_season where period = '2026-W10' and metric = 'weekly_xp' $$,
  'values (3, 32)', 'How many there were, and the digest, stay.');

select * from finish();
rollback;
