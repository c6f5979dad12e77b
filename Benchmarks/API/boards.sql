-- :people people on the global board of this week, the first 100 in one company, the next
-- 1,000 in another and 50,000 in a third; the first have fifty friends each. Only what boards read, and the ledgers of
-- those who sync.
-- To be run by a superuser on a migrated, empty database.
set session_replication_role = replica; -- nothing here that a trigger or a foreign key would refuse
set synchronous_commit = off;

create temporary table person as
select n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as uid,
  -- Few with much, as boards are.
  (5 + 900 * power(random(), 2))::integer as xp, 1 + n % 7 as days,
  date_trunc('week', now()) + random() * (now() - date_trunc('week', now())) as reached_at
from generate_series(1, :people) as n;
analyze person;

insert into app.user (uid, display_name, share_progress, share_streaks, global_board, friends_board, company_board)
select uid, 'Practitioner ' || n, true, true, true, true, true from person;
insert into app.refresh_token (uid, family, current_hash, expires_at)
select uid, uid, sha256(uid::text::bytea), now() + interval '60 days' from person;

create temporary view practitioner as select uid from person where n <= 5000;
\ir ledgers.sql

\set week `date -u +%G-W%V`
insert into app.standing (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions,
  last_session_at, last_day_at, streak_at, with_friends, streak_shown)
select uid, :'week', xp, days, xp / 4, days, null::integer, reached_at, reached_at, reached_at, true, true from person
union all
select uid, 'all-time', null, null, null, null, days * 10, reached_at, reached_at, reached_at, true, true from person;
insert into app.global_standing (period, uid, display_name, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
select :'week', uid, 'Practitioner ' || n, xp, reached_at, days, reached_at from person;
insert into app.global_tally (period, metric, level, bucket, people)
select :'week', metric, level, case level when 0 then value else value / 128 end, count(*)
from person
  cross join lateral (values ('weekly_xp', xp), ('weekly_streak', days)) as reached (metric, value)
  cross join unnest(array[0, 1]) as level
group by 2, 3, 4;

insert into app.organization (organization_id, name, leaderboard_enabled)
select ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Company ' || n, true from generate_series(1, 3) as n;
-- Each restricts itself to its domain, and has no guests.
insert into app.domain_claim (organization_id, domain, proved_at)
select organization_id, replace(lower(name), ' ', '') || '.example', now() from app.organization;
create temporary table employee as
select uid, n, xp, days, reached_at, ('00000000-0000-4000-9000-' || lpad(
  (case when n <= 100 then 1 when n <= 1100 then 2 else 3 end)::text, 12, '0'))::uuid as organization_id
from person where n <= 51100;
insert into app.member (organization_id, uid, role, domain)
select organization_id, uid, 'member', domain from employee join app.domain_claim using (organization_id);
insert into app.company_standing (organization_id, period, uid, display_name, weekly_minutes, weekly_minutes_at,
  weekly_consistency, weekly_consistency_at)
select organization_id, :'week', uid, 'Practitioner ' || n, xp / 4, reached_at, days / 7.0, reached_at from employee;

-- With each of the twenty-five before and after.
insert into app.friendship (uid, friend_uid, asked_by, accepted_at)
select one.uid, other.uid, one.uid, now()
from person as one
  cross join generate_series(1, 25) as further
  cross join lateral (
    select ('00000000-0000-4000-8000-' || lpad((one.n + further)::text, 12, '0'))::uuid as uid
  ) as other
where one.n <= 100000;
vacuum (analyze, freeze);
