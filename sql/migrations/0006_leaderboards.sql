-- Leaderboards: what others may see is a projection, not the row.
--
-- app.standing holds each person's own periods. From it, and from what the
-- person agreed to, two projections are kept in the same transaction: one that
-- everybody may read and one for each company. A metric that a scope must not
-- show is not a column of its projection, so it cannot cross by mistake.

create table app.standing (
  uid uuid not null references app.user (uid) on delete cascade,
  period text not null check (period = 'all-time' or period ~ '^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$'),
  weekly_xp integer,
  weekly_streak integer,
  weekly_minutes integer,
  practised_days integer check (practised_days between 1 and 7),
  total_sessions integer,
  favorite_patterns text[] not null default '{}',
  last_session_at timestamptz not null,
  last_day_at timestamptz not null,
  streak_at timestamptz not null,
  with_friends boolean not null,
  streak_shown boolean not null,
  primary key (uid, period)
);
comment on table app.standing is 'One person''s period: an ISO week of their local days, or all time. Derived from sound sessions, never claimed.';
comment on column app.standing.weekly_streak is 'The longest run of practised local days inside the week.';
comment on column app.standing.last_session_at is 'When the session count, XP and minutes reached their values: the tie-breaker.';
comment on column app.standing.last_day_at is 'When the latest practised day was first practised.';
comment on column app.standing.streak_at is 'When the longest run reached its length.';
comment on column app.standing.with_friends is 'The person shows their progress to friends.';

create table app.global_standing (
  period text not null,
  uid uuid not null constraint global_standing_uid_across references app.user (uid) on delete cascade,
  weekly_xp integer not null,
  weekly_xp_at timestamptz not null,
  weekly_streak integer,
  weekly_streak_at timestamptz,
  primary key (period, uid)
);
comment on table app.global_standing is 'The global board: only those who opted in, only what it may show.';
create index global_standing_by_xp on app.global_standing (period, weekly_xp desc, weekly_xp_at, uid);
create index global_standing_by_uid on app.global_standing (uid);

create table app.company_standing (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  period text not null,
  uid uuid not null,
  weekly_minutes integer not null,
  weekly_minutes_at timestamptz not null,
  weekly_consistency double precision not null check (weekly_consistency between 0 and 1),
  weekly_consistency_at timestamptz not null,
  team_challenge_participation integer not null default 0,
  team_challenge_participation_at timestamptz,
  primary key (organization_id, period, uid),
  -- A board row cannot outlive the membership: leaving is immediate.
  constraint company_standing_member foreign key (organization_id, uid)
    references app.member (organization_id, uid) on delete cascade
);
comment on table app.company_standing is 'A company''s board: members who agreed to be on it, only what it may show.';
create index company_standing_by_minutes on app.company_standing (organization_id, period, weekly_minutes desc, weekly_minutes_at, uid);
create index company_standing_by_member on app.company_standing (uid, organization_id);

alter table app.standing enable row level security;
alter table app.standing force row level security;
create policy standing_self on app.standing to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy standing_circle on app.standing for select to breathmaster_boards
  using (with_friends and uid = any ((select app.circle())::uuid[]));
grant select (uid, period, weekly_xp, weekly_streak, total_sessions, favorite_patterns, last_session_at, streak_at,
  with_friends, streak_shown) on app.standing to breathmaster_boards;

alter table app.global_standing enable row level security;
alter table app.global_standing force row level security;
create policy global_standing_self on app.global_standing to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy global_standing_everyone on app.global_standing for select to breathmaster_boards
  using ((select app.uid()) is not null);
grant select on app.global_standing to breathmaster_boards;

alter table app.company_standing enable row level security;
alter table app.company_standing force row level security;
create policy company_standing_self on app.company_standing to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy company_standing_colleagues on app.company_standing for select to breathmaster_boards
  using (organization_id = (select app.organization_id()));
-- Asks again: app.bind let the viewer in, and they are still a member now.
create policy company_standing_still_member on app.company_standing as restrictive for select to breathmaster_boards
  using (organization_id = any ((select app.own_organization_ids())::uuid[]));
grant select on app.company_standing to breathmaster_boards;

-- The three boards. They run with the rights of breathmaster_boards: a column
-- that it was not granted cannot be added here, whoever edits the view. Each asks
-- once, before it looks for rows, that somebody is bound: the policies ask with the
-- rows, so an empty board would answer.

create view board.global with (security_barrier) as
select s.period, s.uid, u.display_name, u.avatar_url,
  s.weekly_xp, s.weekly_xp_at,
  s.weekly_streak, s.weekly_streak_at
from app.global_standing s
  join app.user u on u.uid = s.uid
where (select app.uid()) is not null;

comment on view board.global is 'weeklyXP and weeklyStreak of everyone who opted in.';

create view board.friends with (security_barrier) as
select s.period, s.uid, u.display_name, u.avatar_url,
  s.weekly_xp, s.last_session_at as weekly_xp_at,
  case when s.streak_shown then s.weekly_streak end as weekly_streak,
  case when s.streak_shown then s.streak_at end as weekly_streak_at,
  t.total_sessions, t.last_session_at as total_sessions_at,
  t.favorite_patterns
from app.standing s
  join app.user u on u.uid = s.uid
  join app.standing t on t.uid = s.uid and t.period = 'all-time'
where (select app.uid()) is not null;

comment on view board.friends is 'weeklyXP, weeklyStreak, totalSessions and favoritePatterns of the viewer and the friends who share.';

create view board.company with (security_barrier) as
select s.organization_id, s.period, s.uid, u.display_name, u.avatar_url,
  s.weekly_minutes, s.weekly_minutes_at,
  s.weekly_consistency, s.weekly_consistency_at,
  s.team_challenge_participation, s.team_challenge_participation_at
from app.company_standing s
  join app.user u on u.uid = s.uid
where (select app.uid()) is not null;

comment on view board.company is 'weeklyMinutes, weeklyConsistency and teamChallengeParticipation of the members of the bound organization who agreed.';

grant select on board.global, board.friends, board.company to breathmaster_api;
alter view board.global owner to breathmaster_boards;
alter view board.friends owner to breathmaster_boards;
alter view board.company owner to breathmaster_boards;

-- Brings the projections in line with the bound user's standings, agreements
-- and memberships. Everything that changes one of these calls it, so a change
-- of mind is seen by the next read anywhere.
create function app.project_standings() returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me app.user;
begin
  -- Locked, so that what the person agrees to doesn't change meanwhile; their
  -- sync, their change of mind and their joining take turns.
  select * into strict me from app.user where uid = (select app.uid()) for no key update;

  update app.standing
  set with_friends = me.share_progress and me.friends_board, streak_shown = me.share_streaks
  where uid = me.uid
    and (with_friends, streak_shown) is distinct from (me.share_progress and me.friends_board, me.share_streaks);

  delete from app.global_standing g
  where g.uid = me.uid
    and not (me.share_progress and me.global_board
      and exists (select from app.standing s where s.uid = me.uid and s.period = g.period));
  if me.share_progress and me.global_board then
    insert into app.global_standing as g (period, uid, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
    select period, uid, weekly_xp, last_session_at,
      case when me.share_streaks then weekly_streak end, case when me.share_streaks then streak_at end
    from app.standing
    where uid = me.uid and period <> 'all-time'
    on conflict (period, uid) do update
      set (weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
        = (excluded.weekly_xp, excluded.weekly_xp_at, excluded.weekly_streak, excluded.weekly_streak_at)
      where (g.weekly_xp, g.weekly_xp_at, g.weekly_streak, g.weekly_streak_at)
        is distinct from (excluded.weekly_xp, excluded.weekly_xp_at, excluded.weekly_streak, excluded.weekly_streak_at);
  end if;

  delete from app.company_standing c
  where c.uid = me.uid
    and not (me.share_progress and me.company_board
      and exists (select from app.standing s where s.uid = me.uid and s.period = c.period));
  if me.share_progress and me.company_board then
    insert into app.company_standing as c
      (organization_id, period, uid, weekly_minutes, weekly_minutes_at, weekly_consistency, weekly_consistency_at)
    select m.organization_id, s.period, s.uid, s.weekly_minutes, s.last_session_at, s.practised_days / 7.0, s.last_day_at
    from app.standing s
      cross join app.member m
    where s.uid = me.uid and m.uid = me.uid and s.period <> 'all-time'
    -- Someone who is leaving in this moment has left before this looks.
    for key share of m
    on conflict (organization_id, period, uid) do update
      set (weekly_minutes, weekly_minutes_at, weekly_consistency, weekly_consistency_at)
        = (excluded.weekly_minutes, excluded.weekly_minutes_at, excluded.weekly_consistency, excluded.weekly_consistency_at)
      where (c.weekly_minutes, c.weekly_minutes_at, c.weekly_consistency, c.weekly_consistency_at)
        is distinct from
        (excluded.weekly_minutes, excluded.weekly_minutes_at, excluded.weekly_consistency, excluded.weekly_consistency_at);
  end if;
end
$$;
revoke all on function app.project_standings() from public;

create function app.project_on_change() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if new.uid is distinct from app.uid() then
    raise exception 'only the bound user can be projected' using errcode = 'insufficient_privilege';
  end if;
  perform app.project_standings();
  return null;
end
$$;
revoke all on function app.project_on_change() from public;

create trigger user_sharing_changed
  after update of share_progress, share_streaks, global_board, friends_board, company_board on app.user
  for each row when (
    (old.share_progress, old.share_streaks, old.global_board, old.friends_board, old.company_board)
    is distinct from
    (new.share_progress, new.share_streaks, new.global_board, new.friends_board, new.company_board)
  )
  execute function app.project_on_change();
create trigger member_joined
  after insert on app.member
  for each row execute function app.project_on_change();

-- The bound user's standings, whole: periods that are not in the arrays go.
-- The arrays run in parallel; the all-time row has nulls for the weekly metrics.
create function app.publish_standings(
  periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[], practised_dayses integer[],
  total_sessionses integer[], last_session_ats timestamptz[], last_day_ats timestamptz[], streak_ats timestamptz[]
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  delete from app.standing where uid = (select app.uid()) and period <> all (periods);
  insert into app.standing as s (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions,
    last_session_at, last_day_at, streak_at, with_friends, streak_shown)
  select u.uid, row.*, u.share_progress and u.friends_board, u.share_streaks
  from app.user u
    cross join unnest(periods, weekly_xps, weekly_streaks, weekly_minuteses, practised_dayses, total_sessionses,
      last_session_ats, last_day_ats, streak_ats) as row
  where u.uid = (select app.uid())
  on conflict (uid, period) do update
    set (weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions, last_session_at, last_day_at, streak_at)
      = (excluded.weekly_xp, excluded.weekly_streak, excluded.weekly_minutes, excluded.practised_days,
        excluded.total_sessions, excluded.last_session_at, excluded.last_day_at, excluded.streak_at)
    where (s.weekly_xp, s.weekly_streak, s.weekly_minutes, s.practised_days, s.total_sessions, s.last_session_at,
        s.last_day_at, s.streak_at)
      is distinct from
      (excluded.weekly_xp, excluded.weekly_streak, excluded.weekly_minutes, excluded.practised_days,
        excluded.total_sessions, excluded.last_session_at, excluded.last_day_at, excluded.streak_at);
  perform app.project_standings();
end
$$;
revoke all on function app.publish_standings(text[], integer[], integer[], integer[], integer[], integer[],
  timestamptz[], timestamptz[], timestamptz[]) from public;
grant execute on function app.publish_standings(text[], integer[], integer[], integer[], integer[], integer[],
  timestamptz[], timestamptz[], timestamptz[]) to breathmaster_api;
