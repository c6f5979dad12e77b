-- :users people past the gate, each with 50 sessions of ten minutes on 25 days, as
-- 50 syncs would have left them; everyone shares, so every board has a row of each.
-- To be run by a superuser on a migrated, empty database.
set session_replication_role = replica; -- nothing here that a trigger or a foreign key would refuse
set synchronous_commit = off;

create temporary table person as
select n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as uid
from generate_series(1, :users) as n;

create temporary table practised as
select current_date - 4 - n as local_day, n
from generate_series(0, 24) as n;

insert into app.user (uid, display_name, share_progress, share_streaks, global_board, friends_board, company_board,
  created_at)
select uid, 'Practitioner ' || n, true, true, true, true, true, now() - interval '60 days' from person;

insert into app.refresh_token (uid, family, current_hash, expires_at)
select uid, uid, sha256(uid::text::bytea), now() + interval '60 days' from person;

insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at, session_xp, claimed_xp, created_at, family)
select uid, 'laptop', 'laptop', 'Europe/Berlin', 1, now() - interval '3 days', 2250, 2250, now() - interval '30 days', uid
from person;

insert into app.session (uid, device_id, session_id, started_at, ended_at, began_at, epoch, local_day, time_zone, active_ms,
  cycles, goal_minutes, goal_bonus_xp, verdict, counted_xp, counted_active_ms, received_at, sync_version)
select uid, 'laptop', 'sess-' || d.n || '-' || hour, start, start + interval '10 minutes', start, 1, local_day, 'Europe/Berlin',
  600000, 40, 10, 5, 'sound', 45, 600000, start + interval '10 minutes', 1
from person
  cross join practised d
  cross join (values (8), (12)) as of_day (hour)
  cross join lateral (select (local_day + make_interval(hours => hour)) at time zone 'UTC') as at (start);

insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at, last_ended_at,
  first_zone, last_zone)
select uid, 1, local_day, 90, 1200000, 2, 0, (local_day + time '08:10') at time zone 'UTC',
  (local_day + time '12:10') at time zone 'UTC', 'Europe/Berlin', 'Europe/Berlin'
from person cross join practised;

insert into app.game_state (uid, epoch, eligible_at, floor_xp, sync_version, last_modified, last_device_id, total_xp,
  total_sessions, active_ms, streak_days, streak_ends_on, longest_streak)
select uid, 1, now() - interval '20 days', 2250, 1, now() - interval '3 days', 'laptop', 2250, 50, 30000000, 25,
  current_date - 4, 25
from person;

insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, received_at)
select uid, uid, 'laptop', sha256(uid::text::bytea), 1, 1, 2250, 2250, now() - interval '3 days' from person;

create temporary table week as
select to_char(local_day, 'IYYY"-W"IW') as period, 90 * count(*) as xp, count(*) as days,
  max((local_day + time '12:10') at time zone 'UTC') as last_session_at,
  max((local_day + time '08:10') at time zone 'UTC') as last_day_at
from practised
group by 1;

insert into app.standing (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions,
  last_session_at, last_day_at, streak_at, with_friends, streak_shown)
select uid, period, xp, days, days * 20, days, null::integer, last_session_at, last_day_at, last_day_at, true, true
from person cross join week
union all
select uid, 'all-time', null, null, null, null, 50, (select max(last_session_at) from week),
  (select max(last_day_at) from week), (select max(last_day_at) from week), true, true
from person;

insert into app.global_standing (period, uid, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
select period, uid, xp, last_session_at, days, last_day_at from person cross join week;

-- A company for each thousand.
create temporary table company as
select n, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid as organization_id
from generate_series(0, (:users - 1) / 1000) as n;
insert into app.organization (organization_id, name)
select organization_id, 'Company ' || n from company;
insert into app.member (organization_id, uid, role)
select organization_id, uid, 'member' from person join company on company.n = (person.n - 1) / 1000;
insert into app.company_standing (organization_id, period, uid, weekly_minutes, weekly_minutes_at, weekly_consistency,
  weekly_consistency_at)
select organization_id, period, uid, days * 20, last_session_at, days / 7.0, last_day_at
from person join company on company.n = (person.n - 1) / 1000 cross join week;
vacuum (analyze, freeze);
