-- Who leaves in the moment in which their rank is written is no error of those who write: until now, the season waited
-- for the next round of the job, minutes later.

grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
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
    end;
  end loop;
  perform set_config('app.closing_season', '', true);
  return left_over;
end
$$;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
