-- Seasons: a week ends, and then its boards are history that no late session moves.
--
-- A week that is over everywhere, and 72 hours later, is closed by a job: from that
-- moment no sync changes its standings. Then every rank is written to history, board
-- by board. When that moment is, is for the server's clock to say (Domain's Season).

-- The job sees across people, so it has a role for its functions, whose policies let
-- it see one week at a time. Whoever migrates may grant the roles that it made.
reset role;
grant breathmaster_worker to breathmaster_owner;
grant usage on schema app to breathmaster_worker;
set local role breathmaster_owner;

create function app.closing_season() returns text
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
declare
  closing constant text := current_setting('app.closing_season', true);
begin
  if closing is null or closing = '' then
    raise exception 'no season is being closed in this transaction' using errcode = 'insufficient_privilege';
  end if;
  return closing;
end
$$;
comment on function app.closing_season() is 'The week that the job is at, which is all that its policies let it see. Raises 42501 when there is none.';
revoke all on function app.closing_season() from public;
grant execute on function app.closing_season() to breathmaster_worker;

create table app.season (
  period text primary key check (period ~ '^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$'),
  closed_at timestamptz not null,
  finalised_at timestamptz
);
comment on table app.season is 'A week whose standings no sync changes any more. Of nobody in particular.';
comment on column app.season.finalised_at is 'When the last of its boards was written to history.';

create table app.global_season (
  period text not null references app.season (period) on delete cascade,
  metric text not null check (metric in ('weekly_xp', 'weekly_streak')),
  people integer not null default 0,
  last_rank integer,
  last_value integer,
  digest bytea not null default '',
  finalised_at timestamptz,
  primary key (period, metric)
);
comment on table app.global_season is 'A global board of a closed week. Of nobody in particular.';
comment on column app.global_season.people is 'How many were ranked: so far, until it is finalised.';
comment on column app.global_season.last_rank is 'The rank that was given last, and to which value: where the job goes on.';
comment on column app.global_season.digest is
  'A chain over the ranks in their order, each SHA-256 of what was before and of "rank,uid,value;". It stays as it was when people go.';

create table app.global_season_rank (
  uid uuid not null references app.user (uid) on delete cascade,
  period text not null,
  metric text not null,
  "position" integer not null,
  rank integer not null,
  value integer not null,
  achieved_at timestamptz not null,
  primary key (uid, period, metric),
  constraint global_season_rank_season_across foreign key (period, metric)
    references app.global_season (period, metric) on delete cascade
);
comment on table app.global_season_rank is 'Who was where on a global board when it became final. Shown as long as the person is on that board.';
comment on column app.global_season_rank."position" is 'In the order of the board, where ties come one after the other.';
create index global_season_rank_by_position on app.global_season_rank (period, metric, "position");

create table app.company_season (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  period text not null constraint company_season_period_across references app.season (period) on delete cascade,
  metric text not null check (metric in ('weekly_minutes', 'weekly_consistency', 'team_challenge_participation')),
  people integer not null default 0,
  last_rank integer,
  last_value double precision,
  digest bytea not null default '',
  finalised_at timestamptz,
  primary key (organization_id, period, metric)
);
comment on table app.company_season is 'A company''s board of a closed week, as app.global_season is.';
create index company_season_by_period on app.company_season (period);

create table app.company_season_rank (
  organization_id uuid not null,
  uid uuid not null,
  period text not null,
  metric text not null,
  "position" integer not null,
  rank integer not null,
  value double precision not null,
  achieved_at timestamptz not null,
  primary key (organization_id, uid, period, metric),
  constraint company_season_rank_season foreign key (organization_id, period, metric)
    references app.company_season (organization_id, period, metric) on delete cascade,
  -- As on the board itself: leaving is immediate.
  constraint company_season_rank_member foreign key (organization_id, uid)
    references app.member (organization_id, uid) on delete cascade
);
comment on table app.company_season_rank is 'Who was where on a company''s board when it became final. Shown as long as the person is on that board.';
create index company_season_rank_by_position on app.company_season_rank (organization_id, period, metric, "position");

-- Which companies a week has, without reading everybody's.
-- squawk-ignore require-concurrent-index-creation
create index company_standing_by_period on app.company_standing (period, organization_id);

-- What the job may see and write: the week that it is at.
create policy global_standing_closing on app.global_standing for select to breathmaster_worker
  using (period = (select app.closing_season()));
create policy company_standing_closing on app.company_standing for select to breathmaster_worker
  using (period = (select app.closing_season()));
grant select (period, uid, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at) on app.global_standing to breathmaster_worker;
grant select on app.company_standing to breathmaster_worker;
grant select, insert, update (finalised_at) on app.season to breathmaster_worker;
grant select, insert, update (people, last_rank, last_value, digest, finalised_at) on app.global_season to breathmaster_worker;

-- A person's own places are theirs and go with them. Others see them through the views.
alter table app.global_season_rank enable row level security;
alter table app.global_season_rank force row level security;
create policy global_season_rank_closing on app.global_season_rank to breathmaster_worker
  using (period = (select app.closing_season())) with check (period = (select app.closing_season()));
create policy global_season_rank_everyone on app.global_season_rank for select to breathmaster_boards
  using ((select app.uid()) is not null and uid not in (select b.uid from board.blocked b));
grant select, insert on app.global_season_rank to breathmaster_worker;
grant select on app.global_season_rank, app.global_season, app.season to breathmaster_boards;

alter table app.company_season enable row level security;
alter table app.company_season force row level security;
create policy company_season_closing on app.company_season to breathmaster_worker
  using (period = (select app.closing_season())) with check (period = (select app.closing_season()));
create policy company_season_members on app.company_season for select to breathmaster_boards
  using (organization_id = (select app.organization_id())
    and organization_id = any ((select app.own_organization_ids())::uuid[]));
grant select, insert, update (people, last_rank, last_value, digest, finalised_at) on app.company_season to breathmaster_worker;
grant select on app.company_season to breathmaster_boards;

alter table app.company_season_rank enable row level security;
alter table app.company_season_rank force row level security;
create policy company_season_rank_closing on app.company_season_rank to breathmaster_worker
  using (period = (select app.closing_season())) with check (period = (select app.closing_season()));
create policy company_season_rank_colleagues on app.company_season_rank for select to breathmaster_boards
  using (organization_id = (select app.organization_id())
    and organization_id = any ((select app.own_organization_ids())::uuid[])
    and uid not in (select b.uid from board.blocked b));
grant select, insert on app.company_season_rank to breathmaster_worker;
grant select on app.company_season_rank to breathmaster_boards;

-- Whether the person is still on the board is theirs to say, and asked with every read:
-- who goes is gone in that transaction, and who comes back has their place again.
grant select (share_progress, share_streaks, global_board, company_board) on app.user to breathmaster_boards;

create view board.season with (security_barrier) as
select period, closed_at, finalised_at from app.season where (select app.uid()) is not null;
comment on view board.season is 'The weeks whose standings no session changes any more.';

create view board.global_season with (security_barrier) as
select period, metric, people, digest, finalised_at
from app.global_season
where finalised_at is not null and (select app.uid()) is not null;
comment on view board.global_season is 'The global boards that are history: how many were ranked, and the digest of their ranks.';

create view board.global_season_rank with (security_barrier) as
select r.period, r.metric, r."position", r.rank, r.uid, u.display_name, u.avatar_url, r.value, r.achieved_at
from app.global_season_rank r
  join app.global_season s on s.period = r.period and s.metric = r.metric and s.finalised_at is not null
  join app.user u on u.uid = r.uid
where (select app.uid()) is not null
  and u.share_progress and u.global_board and (r.metric <> 'weekly_streak' or u.share_streaks);
comment on view board.global_season_rank is
  'The ranks of the global boards that are history, of those who are on that board still, but those between whom and the viewer there is a block.';

create view board.company_season with (security_barrier) as
select organization_id, period, metric, people, digest, finalised_at
from app.company_season
where finalised_at is not null and (select app.uid()) is not null;
comment on view board.company_season is 'The boards of the bound organization that are history, as board.global_season has them.';

create view board.company_season_rank with (security_barrier) as
select r.organization_id, r.period, r.metric, r."position", r.rank, r.uid, u.display_name, u.avatar_url, r.value, r.achieved_at
from app.company_season_rank r
  join app.company_season s on s.organization_id = r.organization_id and s.period = r.period and s.metric = r.metric
    and s.finalised_at is not null
  join app.user u on u.uid = r.uid
where (select app.uid()) is not null and u.share_progress and u.company_board;
comment on view board.company_season_rank is
  'The ranks of the bound organization''s boards that are history, of those who are on that board still.';

grant select on board.season, board.global_season, board.global_season_rank, board.company_season, board.company_season_rank
  to breathmaster_api;
alter view board.season owner to breathmaster_boards;
alter view board.global_season owner to breathmaster_boards;
alter view board.global_season_rank owner to breathmaster_boards;
alter view board.company_season owner to breathmaster_boards;
alter view board.company_season_rank owner to breathmaster_boards;

-- Closes those of the weeks that aren't closed, empty ones too: what is practised later
-- may not found a season of the past.
create function app.close_seasons(weeks text[], at timestamptz) returns setof text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  week text;
begin
  if exists (select unnest(weeks) except select period from app.season) then
    -- Waits for the syncs that are under way, and the next ones wait for this.
    perform pg_advisory_xact_lock(hashtextextended('app.season', 0));
    for week in
      insert into app.season (period, closed_at)
      select distinct unnest(weeks), at
      on conflict do nothing
      returning period
    loop
      perform set_config('app.closing_season', week, true);
      -- The first by an index, and then the next: most weeks have none, and one may have a million.
      insert into app.global_season (period, metric)
      select week, unnest(array['weekly_xp', 'weekly_streak'])
      where (select uid from app.global_standing where period = week order by weekly_xp desc, weekly_xp_at, uid limit 1) is not null;
      with recursive company as (
        (select organization_id from app.company_standing where period = week order by organization_id limit 1)
        union all
        select (
          select s.organization_id from app.company_standing s
          where s.period = week and s.organization_id > company.organization_id
          order by s.organization_id limit 1
        )
        from company
        where organization_id is not null
      )
      insert into app.company_season (organization_id, period, metric)
      select organization_id, week, metric
      from company
        cross join unnest(array['weekly_minutes', 'weekly_consistency', 'team_challenge_participation']) as metric
      where organization_id is not null;
      update app.season set finalised_at = at
      where period = week
        and not exists (select from app.global_season where period = week)
        and not exists (select from app.company_season where period = week);
    end loop;
    perform set_config('app.closing_season', '', true);
  end if;
  return query select period from app.season where period = any (weeks) and finalised_at is null order by period;
end
$$;
comment on function app.close_seasons(text[], timestamptz) is 'Answers those of the weeks that are still to be finalised.';
revoke all on function app.close_seasons(text[], timestamptz) from public;

-- Writes the next ranks of one board. Goes on where the last call ended, so a call that
-- was lost is made again with the same result.
create function app.finalise_board(week text, organization uuid, measure text, most integer, at timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  kind constant text := case when organization is null then 'global' else 'company' end;
  number constant text := case when organization is null then 'integer' else 'double precision' end;
  owned constant text := case when organization is null then '' else 'organization_id = $1 and ' end;
  board record;
  last record;
  reached record;
  written integer := 0;
begin
  execute format('select people, last_rank, last_value::float8, digest from app.%I where %s period = $2 and metric = $3',
    kind || '_season', owned) into board using organization, week, measure;
  -- Whoever was written last and is here still: those in between are gone from the board as well.
  execute format(
    'select value::float8, achieved_at, uid from app.%I where %s period = $2 and metric = $3 order by "position" desc limit 1',
    kind || '_season_rank', owned) into last using organization, week, measure;
  for reached in execute format(
    'select uid, %1$I::float8 as value, %2$I as achieved_at
     from app.%3$I
     where %4$s period = $2 and %1$I > 0
       and ($4 is null or %1$I <= $4::%5$s and (%1$I < $4::%5$s or (%2$I, uid) > ($5, $6)))
     order by %1$I desc, %2$I, uid
     limit $7',
    measure, measure || '_at', kind || '_standing', owned, number)
    using organization, week, measure, last.value, last.achieved_at, last.uid, most
  loop
    board.people := board.people + 1;
    board.last_rank := case when reached.value = board.last_value then board.last_rank else board.people end;
    board.last_value := reached.value;
    board.digest := sha256(
      board.digest || convert_to(format('%s,%s,%s;', board.last_rank, reached.uid, reached.value), 'UTF8'));
    if organization is null then
      insert into app.global_season_rank (uid, period, metric, "position", rank, value, achieved_at)
      values (reached.uid, week, measure, board.people, board.last_rank, reached.value, reached.achieved_at);
    else
      insert into app.company_season_rank (organization_id, uid, period, metric, "position", rank, value, achieved_at)
      values (organization, reached.uid, week, measure, board.people, board.last_rank, reached.value, reached.achieved_at);
    end if;
    written := written + 1;
  end loop;
  execute format(
    'update app.%I set (people, last_rank, last_value, digest, finalised_at) = ($4, $5, $6, $7, $8)
     where %s period = $2 and metric = $3', kind || '_season', owned)
    using organization, week, measure, board.people, board.last_rank, board.last_value, board.digest,
      case when written < most then at end;
  return written;
end
$$;
comment on function app.finalise_board(text, uuid, text, integer, timestamptz) is 'How many ranks it wrote; fewer than asked for where the board is finalised with them.';
revoke all on function app.finalise_board(text, uuid, text, integer, timestamptz) from public;

create function app.finalise_season(week text, most integer, at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  board record;
  left_over boolean := true;
begin
  -- One at a time, whichever server asks.
  if not pg_try_advisory_xact_lock(hashtextextended('app.season ' || week, 0))
    or not exists (select from app.season where period = week and finalised_at is null)
  then
    return false;
  end if;
  perform set_config('app.closing_season', week, true);
  while most > 0 loop
    select * into board from (
      select null::uuid as organization_id, metric from app.global_season where period = week and finalised_at is null
      union all
      select organization_id, metric from app.company_season where period = week and finalised_at is null
    ) as unfinished
    order by organization_id, metric
    limit 1;
    if not found then
      update app.season set finalised_at = at where period = week;
      left_over := false;
      exit;
    end if;
    -- A board without anybody is work too.
    most := most - greatest(1, app.finalise_board(week, board.organization_id, board.metric, most, at));
  end loop;
  perform set_config('app.closing_season', '', true);
  return left_over;
end
$$;
comment on function app.finalise_season(text, integer, timestamptz) is
  'Writes so many ranks of a closed week to history, and says whether there is more to do: false as well while another call is at it.';
revoke all on function app.finalise_season(text, integer, timestamptz) from public;

grant create on schema app to breathmaster_worker;
alter function app.close_seasons(text[], timestamptz) owner to breathmaster_worker;
alter function app.finalise_board(text, uuid, text, integer, timestamptz) owner to breathmaster_worker;
alter function app.finalise_season(text, integer, timestamptz) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
-- From the new owner, as the privileges of the old one went over to it.
set local role breathmaster_worker;
grant execute on function app.close_seasons(text[], timestamptz) to breathmaster_api;
grant execute on function app.finalise_season(text, integer, timestamptz) to breathmaster_api;
set local role breathmaster_owner;

-- As before, and a closed week stays as it is, on the friends boards too, which have
-- no history of their own. What was practised counts for the person all the same.
create or replace function app.publish_standings(
  changed text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[],
  practised_dayses integer[], total_sessionses integer[], last_session_ats timestamptz[], last_day_ats timestamptz[],
  streak_ats timestamptz[]
) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me app.user;
  closed text[];
begin
  -- Either this is done before a week closes, or it finds it closed.
  perform pg_advisory_xact_lock_shared(hashtextextended('app.season', 0));
  -- Locked, so that what the person agrees to doesn't change meanwhile.
  select * into strict me from app.user where uid = (select app.uid()) for no key update;

  closed := array(
    select period from app.season
    where period = any (periods || coalesce(changed, array(select s.period from app.standing s where s.uid = me.uid)))
  );

  -- Null is all there are.
  if changed is null or changed && array(select unnest(changed) except select unnest(periods)) then
    delete from app.standing s
    where s.uid = me.uid and (changed is null or s.period = any (changed)) and s.period <> all (periods || closed);
    delete from app.global_standing g
    where g.uid = me.uid and (changed is null or g.period = any (changed)) and g.period <> all (periods || closed);
    delete from app.company_standing c
    where c.uid = me.uid and (changed is null or c.period = any (changed)) and c.period <> all (periods || closed);
  end if;

  insert into app.standing as s (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions,
    last_session_at, last_day_at, streak_at, with_friends, streak_shown)
  select me.uid, row.*, me.share_progress and me.friends_board, me.share_streaks
  from unnest(periods, weekly_xps, weekly_streaks, weekly_minuteses, practised_dayses, total_sessionses,
    last_session_ats, last_day_ats, streak_ats) as row (period)
  where row.period <> all (closed)
  on conflict (uid, period) do update
    set (weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions, last_session_at, last_day_at, streak_at)
      = (excluded.weekly_xp, excluded.weekly_streak, excluded.weekly_minutes, excluded.practised_days,
        excluded.total_sessions, excluded.last_session_at, excluded.last_day_at, excluded.streak_at);

  if me.share_progress and me.global_board then
    insert into app.global_standing as g
      (period, uid, display_name, avatar_url, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
    select row.period, me.uid, me.display_name, me.avatar_url, row.weekly_xp, row.last_session_at,
      case when me.share_streaks then row.weekly_streak end, case when me.share_streaks then row.streak_at end
    from unnest(periods, weekly_xps, weekly_streaks, last_session_ats, streak_ats)
      as row (period, weekly_xp, weekly_streak, last_session_at, streak_at)
    where row.period <> all (closed || 'all-time'::text)
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
    where m.uid = me.uid and row.period <> all (closed || 'all-time'::text)
    -- Someone who is leaving in this moment has left before this looks.
    for key share of m
    on conflict (organization_id, period, uid) do update
      set (weekly_minutes, weekly_minutes_at, weekly_consistency, weekly_consistency_at)
        = (excluded.weekly_minutes, excluded.weekly_minutes_at, excluded.weekly_consistency, excluded.weekly_consistency_at);
  end if;
end
$$;
