-- Sync: the ledger of practice. Sessions are facts; totals are opinions.

create table app.device (
  uid uuid not null references app.user (uid) on delete cascade,
  device_id text not null check (char_length(device_id) between 1 and 64),
  name text not null check (char_length(name) between 1 and 80),
  time_zone text not null,
  epoch integer not null,
  last_taken_at timestamptz not null,
  claimed_xp bigint not null default 0 check (claimed_xp >= 0),
  held_xp bigint not null default 0,
  carried_xp bigint,
  created_at timestamptz not null default now(),
  primary key (uid, device_id)
);
comment on table app.device is 'An editor that syncs, and what it last claimed in its epoch.';
comment on column app.device.claimed_xp is 'The largest total this device reported in the epoch.';
comment on column app.device.held_xp is 'The most it held beyond the possible sessions in the same export: challenge rewards and legacy XP.';
comment on column app.device.carried_xp is
  'Not null on a device that still shows practice from before the last "clear data": the least it held beyond its sessions and rewards since. That much was cleared and does not come back.';

alter table app.device enable row level security;
alter table app.device force row level security;
create policy device_self on app.device to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update on app.device to breathmaster_api;

create table app.session (
  uid uuid not null,
  device_id text not null,
  session_id text not null check (char_length(session_id) between 1 and 64),
  started_at timestamptz not null,
  ended_at timestamptz not null,
  epoch integer not null,
  local_day date not null,
  active_ms bigint not null check (active_ms >= 0),
  cycles integer not null check (cycles >= 0),
  goal_minutes integer check (goal_minutes > 0),
  goal_bonus_xp integer not null check (goal_bonus_xp >= 0),
  verdict text not null
    check (verdict in ('sound', 'tooManyCycles', 'longerThanItsClock', 'tooLong', 'inTheFuture', 'overlaps', 'bonusTooLarge')),
  received_at timestamptz not null default now(),
  primary key (uid, device_id, session_id, started_at),
  foreign key (uid, device_id) references app.device (uid, device_id) on delete cascade,
  constraint session_ends_before_it_starts check (ended_at >= started_at)
);
comment on table app.session is 'One sitting of practice. A set: repeating an export adds nothing.';
comment on column app.session.local_day is 'The local day in which it ended, in the zone that its device reported when it first arrived.';
comment on column app.session.verdict is 'sound, or why it is quarantined: kept in the history, on no board, in no count.';
create index session_by_epoch on app.session (uid, epoch, local_day);

alter table app.session enable row level security;
alter table app.session force row level security;
create policy session_self on app.session to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update (verdict, epoch) on app.session to breathmaster_api;

create table app.daily_challenge (
  uid uuid not null,
  device_id text not null,
  epoch integer not null,
  challenge_id text not null check (char_length(challenge_id) between 1 and 64),
  local_day date not null,
  kind text not null check (char_length(kind) between 1 and 64),
  target integer not null check (target >= 0),
  reward_xp integer not null check (reward_xp >= 0),
  completed boolean not null,
  expired boolean not null,
  primary key (uid, device_id, epoch, challenge_id),
  foreign key (uid, device_id) references app.device (uid, device_id) on delete cascade
);
comment on table app.daily_challenge is 'A challenge the extension set for a day. Completed on one sighting is completed for good.';

alter table app.daily_challenge enable row level security;
alter table app.daily_challenge force row level security;
create policy daily_challenge_self on app.daily_challenge to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update (local_day, kind, target, reward_xp, completed, expired) on app.daily_challenge to breathmaster_api;

create table app.game_state (
  uid uuid primary key references app.user (uid) on delete cascade,
  epoch integer not null default 1 check (epoch >= 1),
  epoch_started_at timestamptz,
  eligible_at timestamptz,
  sync_version bigint not null default 0,
  last_modified timestamptz,
  last_device_id text,
  total_xp bigint not null default 0,
  legacy_xp bigint not null default 0,
  total_sessions integer not null default 0,
  active_ms bigint not null default 0,
  streak_days integer not null default 0,
  streak_ends_on date,
  longest_streak integer not null default 0
);
comment on table app.game_state is 'What the ledger adds up to, rewritten by every sync in the same transaction. Its row is also the lock that puts one person''s syncs in order.';
comment on column app.game_state.epoch_started_at is 'When "clear data" was last chosen; null in the first epoch.';
comment on column app.game_state.eligible_at is 'When the level-5 gate was passed. Once passed it stays passed.';
comment on column app.game_state.streak_ends_on is 'Last local day of the newest run of days; whether that is still the current streak depends on the day that asks.';

alter table app.game_state enable row level security;
alter table app.game_state force row level security;
create policy game_state_self on app.game_state to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select on app.game_state to breathmaster_api;
grant update (epoch, epoch_started_at, eligible_at, sync_version, last_modified, last_device_id, total_xp,
  legacy_xp, total_sessions, active_ms, streak_days, streak_ends_on, longest_streak) on app.game_state to breathmaster_api;

-- The only way to become a user. Binds the new user, so that the same
-- transaction can go on as them.
create function app.register() returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  created constant uuid := gen_random_uuid();
begin
  perform set_config('app.uid', created::text, true), set_config('app.organization_id', '', true);
  insert into app.user (uid) values (created);
  insert into app.game_state (uid) values (created);
  return created;
end
$$;
revoke all on function app.register() from public;
grant execute on function app.register() to breathmaster_api;
