-- The ledgers of the practitioners: fifty sessions of ten minutes on 25 days, as fifty syncs of a laptop would have left
-- them. To be included.
create temporary table practised as
select current_date - 4 - n as local_day, n
from generate_series(0, 24) as n;

insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at, session_xp, claimed_xp, created_at, family)
select uid, 'laptop', 'laptop', 'Europe/Berlin', 1, now() - interval '3 days', 2250, 2250, now() - interval '30 days', uid
from practitioner;

insert into app.session (uid, device_id, session_id, started_at, ended_at, began_at, epoch, local_day, time_zone, active_ms,
  cycles, goal_minutes, goal_bonus_xp, verdict, counted_xp, counted_active_ms, received_at, sync_version)
select uid, 'laptop', 'sess-' || d.n || '-' || hour, start, start + interval '10 minutes', start, 1, local_day, 'Europe/Berlin',
  600000, 40, 10, 5, 'sound', 45, 600000, start + interval '10 minutes', 1
from practitioner
  cross join practised d
  cross join (values (8), (12)) as of_day (hour)
  cross join lateral (select (local_day + make_interval(hours => hour)) at time zone 'UTC') as at (start);

insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at, last_ended_at,
  first_zone, last_zone)
select uid, 1, local_day, 90, 1200000, 2, 0, (local_day + time '08:10') at time zone 'UTC',
  (local_day + time '12:10') at time zone 'UTC', 'Europe/Berlin', 'Europe/Berlin'
from practitioner cross join practised;

insert into app.game_state (uid, epoch, eligible_at, floor_xp, sync_version, last_modified, last_device_id, total_xp,
  total_sessions, active_ms, streak_days, streak_ends_on, longest_streak)
select uid, 1, now() - interval '20 days', 2250, 1, now() - interval '3 days', 'laptop', 2250, 50, 30000000, 25,
  current_date - 4, 25
from practitioner;

insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, received_at)
select uid, uid, 'laptop', sha256(uid::text::bytea), 1, 1, 2250, 2250, now() - interval '3 days' from practitioner;
