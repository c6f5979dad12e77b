-- Sync in batches: a device sends what is new, takes over the merged totals, and
-- comes back after any time. What was handed to it is kept, so that its next
-- claim is measured against that; days are kept added up, so that a sync reads
-- and writes what its sessions touch and not a life.

-- Row security holds the owner too, and no principal is bound here.
alter table app.device no force row level security;
alter table app.session no force row level security;
alter table app.daily_challenge no force row level security;
alter table app.game_state no force row level security;

alter table app.device
  add column clock_offset_ms bigint not null default 0,
  add column session_xp bigint not null default 0,
  add column reward_xp bigint not null default 0;
comment on column app.device.clock_offset_ms is 'Milliseconds by which its clock was behind ours when it last told; negative if ahead.';
comment on column app.device.session_xp is 'What its possible sessions of the epoch brought.';
comment on column app.device.reward_xp is 'What its completed challenges of the epoch are worth.';
comment on column app.device.claimed_xp is 'The most it said to have earned by itself in the epoch, what it was handed taken off.';

alter table app.session
  add column time_zone text not null default 'UTC',
  add column clock_offset_ms bigint not null default 0,
  add column began_at timestamptz not null default '-infinity',
  add column counted_xp integer not null default 0,
  add column counted_active_ms bigint not null default 0,
  add column pardoned boolean not null default false,
  add column sync_version bigint not null default 0;
comment on column app.session.started_at is 'As the device''s clock labelled it, and by which it is known.';
comment on column app.session.began_at is 'By our clock: started_at and clock_offset_ms.';
comment on column app.session.time_zone is 'Where it was practised.';
comment on column app.session.counted_xp is 'What it counts for: nothing in quarantine, less where another device counts for some of the same minutes.';
comment on column app.session.pardoned is 'An operator let it count after an appeal.';
comment on column app.session.sync_version is 'The sync that last changed it: what other devices haven''t seen yet is above their cursor.';

update app.session s
set began_at = s.started_at,
  time_zone = d.time_zone,
  counted_xp = case when s.verdict = 'sound' then s.cycles + s.goal_bonus_xp else 0 end,
  counted_active_ms = case when s.verdict = 'sound' then s.active_ms else 0 end,
  sync_version = g.sync_version
from app.device d, app.game_state g
where (d.uid, d.device_id) = (s.uid, s.device_id) and g.uid = s.uid;

-- squawk-ignore ban-drop-default
alter table app.session alter column began_at drop default;
-- Every session is written above anyway, so nobody syncs while this runs.
-- squawk-ignore require-concurrent-index-creation
create index session_by_time on app.session (uid, epoch, began_at);
-- squawk-ignore require-concurrent-index-creation
create index session_by_version on app.session (uid, sync_version);
-- squawk-ignore require-concurrent-index-deletion
drop index app.session_by_epoch;

update app.device d
set session_xp = (
    select coalesce(sum(s.cycles + s.goal_bonus_xp), 0)
    from app.session s
      join app.game_state g on g.uid = s.uid and g.epoch = s.epoch
    where (s.uid, s.device_id) = (d.uid, d.device_id) and s.verdict in ('sound', 'overlaps')
  ),
  reward_xp = (
    select coalesce(sum(c.reward_xp), 0)
    from app.daily_challenge c
      join app.game_state g on g.uid = c.uid and g.epoch = c.epoch
    where (c.uid, c.device_id) = (d.uid, d.device_id) and c.completed
  );

create table app.practice_day (
  uid uuid not null references app.user (uid) on delete cascade,
  epoch integer not null,
  local_day date not null,
  xp integer not null,
  active_ms bigint not null,
  sessions integer not null check (sessions > 0),
  overlap_xp integer not null,
  first_ended_at timestamptz not null,
  last_ended_at timestamptz not null,
  first_zone text not null,
  last_zone text not null,
  follows_travel boolean not null default false,
  primary key (uid, epoch, local_day)
);
comment on table app.practice_day is 'One local day of a person as their sound sessions add up. Written with the sessions, and never claimed.';
comment on column app.practice_day.xp is 'What the sessions count for. Boards add up these.';
comment on column app.practice_day.overlap_xp is 'What they brought beyond that: two devices at once count once.';
comment on column app.practice_day.follows_travel is 'The streak goes on from the practised day before, although local days lie between: the person travelled.';

insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at, last_ended_at,
  first_zone, last_zone)
select s.uid, s.epoch, s.local_day, sum(s.counted_xp), sum(s.counted_active_ms), count(*), 0, min(s.ended_at), max(s.ended_at),
  min(s.time_zone), min(s.time_zone)
from app.session s
  join app.game_state g on g.uid = s.uid and g.epoch = s.epoch
where s.verdict = 'sound'
group by s.uid, s.epoch, s.local_day;

alter table app.practice_day enable row level security;
alter table app.practice_day force row level security;
create policy practice_day_self on app.practice_day to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update, delete on app.practice_day to breathmaster_api;

alter table app.game_state add column floor_xp bigint not null default 0;
comment on column app.game_state.floor_xp is 'The largest total that a device showed in the epoch: the merged one never falls below.';
grant update (floor_xp) on app.game_state to breathmaster_api;

create table app.sync_batch (
  uid uuid not null references app.user (uid) on delete cascade,
  batch_id uuid not null,
  device_id text not null,
  digest bytea not null check (octet_length(digest) = 32),
  epoch integer not null,
  sync_version bigint not null,
  handed_xp bigint not null,
  earned_xp bigint not null,
  answer bytea,
  received_at timestamptz not null,
  primary key (uid, batch_id)
);
comment on table app.sync_batch is 'What a device sent, by its SHA-256, and what it was answered: the same again gets the same, and its receipt can be read later.';
comment on column app.sync_batch.sync_version is 'The state that the answer handed out. The device names it as its base, once it has taken it over.';
comment on column app.sync_batch.handed_xp is 'The total in that answer: the device''s later claims contain it.';
comment on column app.sync_batch.earned_xp is 'What the device had earned by itself up to then.';
comment on column app.sync_batch.answer is 'JSON in UTF-8; null for an export, which is read from the ledger again.';
create index sync_batch_by_version on app.sync_batch (uid, sync_version);

alter table app.sync_batch enable row level security;
alter table app.sync_batch force row level security;
create policy sync_batch_self on app.sync_batch to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert on app.sync_batch to breathmaster_api;

create table app.state_entry (
  uid uuid not null references app.user (uid) on delete cascade,
  field text not null check (char_length(field) between 1 and 64),
  key text not null check (char_length(key) between 1 and 64),
  value jsonb,
  written_at timestamptz not null,
  labelled_at timestamptz not null,
  device_id text not null,
  sync_version bigint not null,
  primary key (uid, field, key)
);
comment on table app.state_entry is 'What a person keeps here beside practice: unlocks, presets, preferences, entry by entry.';
comment on column app.state_entry.value is 'Null is a tombstone: removed, and an older write doesn''t bring it back.';
comment on column app.state_entry.written_at is 'By a hybrid clock: after what the writer had seen, not after it arrived. The later write stands.';
comment on column app.state_entry.labelled_at is 'What the device''s clock showed: it orders the writes of one device.';

alter table app.state_entry enable row level security;
alter table app.state_entry force row level security;
create policy state_entry_self on app.state_entry to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update, delete on app.state_entry to breathmaster_api;

alter table app.device force row level security;
alter table app.session force row level security;
alter table app.daily_challenge force row level security;
alter table app.game_state force row level security;

grant update (verdict, epoch, counted_xp, counted_active_ms, sync_version) on app.session to breathmaster_api;
-- The server can't pardon: that is for the operator who decides an appeal.
revoke insert on app.session from breathmaster_api;
grant insert (uid, device_id, session_id, started_at, ended_at, epoch, local_day, active_ms, cycles, goal_minutes,
  goal_bonus_xp, verdict, received_at, time_zone, clock_offset_ms, began_at, counted_xp, counted_active_ms, sync_version)
  on app.session to breathmaster_api;

-- The bound user's standings of some periods; those of them without numbers go.
-- The arrays run in parallel; the all-time row has nulls for the weekly metrics.
-- squawk-ignore ban-drop-function
drop function app.publish_standings(text[], integer[], integer[], integer[], integer[], integer[],
  timestamptz[], timestamptz[], timestamptz[]);
create function app.publish_standings(
  changed text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[],
  practised_dayses integer[], total_sessionses integer[], last_session_ats timestamptz[], last_day_ats timestamptz[],
  streak_ats timestamptz[]
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me app.user;
begin
  -- Locked, so that what the person agrees to doesn't change meanwhile.
  select * into strict me from app.user where uid = (select app.uid()) for no key update;

  -- Null is all there are.
  if changed is null or changed && array(select unnest(changed) except select unnest(periods)) then
    delete from app.standing s
    where s.uid = me.uid and (changed is null or s.period = any (changed)) and s.period <> all (periods);
    delete from app.global_standing g
    where g.uid = me.uid and (changed is null or g.period = any (changed)) and g.period <> all (periods);
    delete from app.company_standing c
    where c.uid = me.uid and (changed is null or c.period = any (changed)) and c.period <> all (periods);
  end if;

  insert into app.standing as s (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions,
    last_session_at, last_day_at, streak_at, with_friends, streak_shown)
  select me.uid, row.*, me.share_progress and me.friends_board, me.share_streaks
  from unnest(periods, weekly_xps, weekly_streaks, weekly_minuteses, practised_dayses, total_sessionses,
    last_session_ats, last_day_ats, streak_ats) as row
  on conflict (uid, period) do update
    set (weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions, last_session_at, last_day_at, streak_at)
      = (excluded.weekly_xp, excluded.weekly_streak, excluded.weekly_minutes, excluded.practised_days,
        excluded.total_sessions, excluded.last_session_at, excluded.last_day_at, excluded.streak_at);

  if me.share_progress and me.global_board then
    insert into app.global_standing as g (period, uid, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
    select row.period, me.uid, row.weekly_xp, row.last_session_at,
      case when me.share_streaks then row.weekly_streak end, case when me.share_streaks then row.streak_at end
    from unnest(periods, weekly_xps, weekly_streaks, last_session_ats, streak_ats)
      as row (period, weekly_xp, weekly_streak, last_session_at, streak_at)
    where row.period <> 'all-time'
    on conflict (period, uid) do update
      set (weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
        = (excluded.weekly_xp, excluded.weekly_xp_at, excluded.weekly_streak, excluded.weekly_streak_at);
  end if;

  if me.share_progress and me.company_board then
    insert into app.company_standing as c
      (organization_id, period, uid, weekly_minutes, weekly_minutes_at, weekly_consistency, weekly_consistency_at)
    select m.organization_id, row.period, me.uid, row.weekly_minutes, row.last_session_at, row.practised_days / 7.0,
      row.last_day_at
    from unnest(periods, weekly_minuteses, practised_dayses, last_session_ats, last_day_ats)
      as row (period, weekly_minutes, practised_days, last_session_at, last_day_at)
      cross join app.member m
    where m.uid = me.uid and row.period <> 'all-time'
    -- Someone who is leaving in this moment has left before this looks.
    for key share of m
    on conflict (organization_id, period, uid) do update
      set (weekly_minutes, weekly_minutes_at, weekly_consistency, weekly_consistency_at)
        = (excluded.weekly_minutes, excluded.weekly_minutes_at, excluded.weekly_consistency, excluded.weekly_consistency_at);
  end if;
end
$$;
comment on function app.publish_standings(text[], text[], integer[], integer[], integer[], integer[], integer[],
  timestamptz[], timestamptz[], timestamptz[]) is 'Called by every sync in its transaction: the periods that changed, and what they add up to now.';
revoke all on function app.publish_standings(text[], text[], integer[], integer[], integer[], integer[], integer[],
  timestamptz[], timestamptz[], timestamptz[]) from public;
grant execute on function app.publish_standings(text[], text[], integer[], integer[], integer[], integer[], integer[],
  timestamptz[], timestamptz[], timestamptz[]) to breathmaster_api;
