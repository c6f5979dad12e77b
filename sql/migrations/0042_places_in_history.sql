-- How far a board has come is kept with it: the last rank that is still there said so until now, and whoever had left after
-- it and come back was written a second time.
alter table app.global_season add column last_at timestamptz;
alter table app.company_season add column last_at timestamptz;
comment on column app.global_season.last_at is 'When the last of those whose ranks are written reached their value.';
comment on column app.company_season.last_at is 'As app.global_season has it.';
grant update (last_at) on app.global_season, app.company_season to breathmaster_worker;

-- Of boards that are being written now.
alter table app.global_season_rank no force row level security;
alter table app.company_season no force row level security;
alter table app.company_season_rank no force row level security;
update app.global_season s set last_at = (
  select achieved_at from app.global_season_rank r
  where (r.period, r.metric) = (s.period, s.metric)
  order by "position" desc limit 1)
where finalised_at is null;
update app.company_season s set last_at = (
  select achieved_at from app.company_season_rank r
  where (r.organization_id, r.period, r.metric) = (s.organization_id, s.period, s.metric)
  order by "position" desc limit 1)
where finalised_at is null;
alter table app.company_season_rank force row level security;
alter table app.company_season force row level security;
alter table app.global_season_rank force row level security;

grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
create or replace function app.finalise_board(
  week text, organization uuid, measure text, most integer, at timestamptz
) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  kind constant text := case when organization is null then 'global' else 'company' end;
  number constant text := case when organization is null then 'integer' else 'double precision' end;
  owned constant text := case when organization is null then '' else 'organization_id = $1 and ' end;
  named constant text := case when organization is null then 'alias, null::text as real_name' else 'null::uuid as alias, real_name' end;
  board record;
  reached record;
  written integer := 0;
begin
  execute format(
    'select people, last_rank, last_value::float8, last_at, digest from app.%I where %s period = $2 and metric = $3',
    kind || '_season', owned) into board using organization, week, measure;
  -- Who share a place are written in one step, however many they are: in the next, nobody could tell who was.
  for reached in execute format(
    'select * from (
       select uid, display_name, avatar_url, %6$s, %1$I::float8 as value, %2$I as achieved_at
       from app.%3$I
       where %4$s period = $2 and %1$I > 0
         and ($4 is null or %1$I <= $4::%5$s and (%1$I < $4::%5$s or %2$I > $5))
       order by %1$I desc, %2$I
       fetch first $6 rows with ties
     ) as next
     order by value desc, achieved_at, uid',
    measure, measure || '_at', kind || '_standing', owned, number, named)
    using organization, week, measure, board.last_value, board.last_at, most
  loop
    board.people := board.people + 1;
    board.last_rank := case when reached.value = board.last_value then board.last_rank else board.people end;
    board.last_value := reached.value;
    board.last_at := reached.achieved_at;
    board.digest := sha256(
      board.digest || convert_to(
        format('%s,%s,%s;', board.last_rank, coalesce(reached.alias, reached.uid), reached.value), 'UTF8'));
    if organization is null then
      insert into app.global_season_rank (uid, period, metric, "position", rank, value, achieved_at, entry_id, alias,
        display_name, avatar_url)
      values (reached.uid, week, measure, board.people, board.last_rank, reached.value, reached.achieved_at,
        coalesce(reached.alias, reached.uid), reached.alias, reached.display_name, reached.avatar_url);
    else
      insert into app.company_season_rank (organization_id, uid, period, metric, "position", rank, value, achieved_at,
        display_name, avatar_url, real_name)
      values (organization, reached.uid, week, measure, board.people, board.last_rank, reached.value, reached.achieved_at,
        reached.display_name, reached.avatar_url, reached.real_name);
    end if;
    written := written + 1;
  end loop;
  execute format(
    'update app.%I set (people, last_rank, last_value, last_at, digest, finalised_at) = ($4, $5, $6, $7, $8, $9)
     where %s period = $2 and metric = $3', kind || '_season', owned)
    using organization, week, measure, board.people, board.last_rank, board.last_value, board.last_at, board.digest,
      case when written < most then at end;
  return written;
end
$$;

-- Who leaves in the moment in which their rank is written is no error of those who write: until now, the season waited
-- for the next round of the job, minutes later. Nor are those who write an error of who leaves.
create or replace function app.finalise_season(week text, most integer, at timestamptz) returns boolean
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
  -- Who changes their mind has done so before this looks, or finds what it wrote.
  perform pg_advisory_xact_lock(hashtextextended('app.season history', 0));
  perform set_config('app.closing_season', week, true);
  -- Who ends an account has locked it, and waits for the ranks of its memberships: this gives way before they deadlock.
  perform set_config('lock_timeout', '100ms', true);
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
    begin
      -- A board without anybody is work too.
      most := most - greatest(1, app.finalise_board(week, board.organization_id, board.metric, most, at));
    exception
      -- Somebody on it left the company, or ended their account, after this had looked. Looked at again, they are gone.
      when foreign_key_violation then most := most - 1;
      when lock_not_available then exit;
    end;
  end loop;
  perform set_config('app.closing_season', '', true);
  return left_over;
end
$$;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
