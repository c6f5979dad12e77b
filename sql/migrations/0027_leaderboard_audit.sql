-- The boards are projections, which could drift from what they project. `breathmaster
-- boards verify` counts everything again: person by person as that person, by the rules
-- of the domain; and what is of nobody in particular, counts and history, with these.

-- The audit goes through everybody, in the order of uids. Its policy shows it whose turn
-- it is to be read, and of them the uid alone.
create function app.auditing() returns uuid
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
declare
  place constant text := current_setting('app.auditing', true);
begin
  if place is null or place = '' then
    raise exception 'nothing is being audited in this transaction' using errcode = 'insufficient_privilege';
  end if;
  return place::uuid;
end
$$;
comment on function app.auditing() is
  'The uid after which the audit reads on: its policy lets it see the people from there. Raises 42501 when there is none.';
revoke all on function app.auditing() from public;
grant execute on function app.auditing() to breathmaster_worker;

create policy user_audited on app.user for select to breathmaster_worker
  using (uid > (select app.auditing()));
grant select (uid) on app.user to breathmaster_worker;
grant select on app.global_tally, app.global_tally_change to breathmaster_worker;

create function app.people_after(place uuid, most integer) returns uuid[]
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  people uuid[];
begin
  perform set_config('app.auditing', place::text, true);
  people := array(select uid from app.user where uid > place order by uid limit most);
  perform set_config('app.auditing', '', true);
  return people;
end
$$;
comment on function app.people_after(uuid, integer) is 'The next people in the order of their uids, for an audit that reads page by page.';
revoke all on function app.people_after(uuid, integer) from public;

create function app.audited_weeks() returns setof text
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select period from app.global_tally
  union
  select period from app.global_tally_change
  union
  select period from app.season
$$;
comment on function app.audited_weeks() is 'The weeks of which there is a count or a season, as far as that can be told without looking at people.';
revoke all on function app.audited_weeks() from public;

-- Counts of people by value, level 0, and by bucket, level 1, beside the people. What isn't
-- folded yet is part of both. One statement, so it is of one moment, whoever syncs meanwhile.
create function app.audit_tally(week text)
  returns table (metric text, level integer, bucket integer, stored bigint, expected bigint)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform set_config('app.closing_season', week, true);
  return query
  with kept as (
    select t.metric, t.level::integer as level, t.bucket, sum(t.people)::bigint as people
    from (
      select g.metric, g.level, g.bucket, g.people from app.global_tally g where g.period = week
      union all
      select c.metric, l.level, case l.level when 0 then c.value else c.value / 128 end, c.people
      from app.global_tally_change c
        cross join (values (0), (1)) as l (level)
      where c.period = week
    ) as t
    group by 1, 2, 3
  ), counted as (
    select reached.metric, l.level, case l.level when 0 then reached.value else reached.value / 128 end as bucket,
      count(*) as people
    from app.global_standing s
      cross join lateral (values ('weekly_xp', s.weekly_xp), ('weekly_streak', s.weekly_streak)) as reached (metric, value)
      cross join (values (0), (1)) as l (level)
    where s.period = week and reached.value > 0
    group by 1, 2, 3
  )
  select metric, level, bucket, coalesce(k.people, 0), coalesce(c.people, 0)
  from kept k
    full join counted c using (metric, level, bucket)
  where coalesce(k.people, 0) <> coalesce(c.people, 0)
  order by 1, 2, 3;
  perform set_config('app.closing_season', '', true);
end
$$;
comment on function app.audit_tally(text) is 'Where the counts of a week''s global boards differ from the people on them.';
revoke all on function app.audit_tally(text) from public;

-- The places of a week's boards that are history: that they follow one another by the
-- rule of ties, and that they are what the digest says. Of a board that somebody has left
-- for good, the digest can't be counted again; the places that are left can be looked at.
create function app.audit_season(week text)
  returns table (organization_id uuid, metric text, what text, stored text, expected text)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  board record;
  place record;
  before record;
  chain bytea;
  places integer;
begin
  perform set_config('app.closing_season', week, true);
  for board in
    select null::uuid as organization_id, s.metric, s.people, s.digest
    from app.global_season s
    where s.period = week and s.finalised_at is not null
    union all
    select s.organization_id, s.metric, s.people, s.digest
    from app.company_season s
    where s.period = week and s.finalised_at is not null
    order by 1, 2
  loop
    chain := '';
    places := 0;
    select 0 as "position", 0 as rank, null::double precision as value into before;
    for place in
      select r."position", r.rank, r.value::double precision as value, r.entry_id
      from app.global_season_rank r
      where board.organization_id is null and r.period = week and r.metric = board.metric
      union all
      select r."position", r.rank, r.value, r.uid
      from app.company_season_rank r
      where r.organization_id = board.organization_id and r.period = week and r.metric = board.metric
      order by 1
    loop
      places := places + 1;
      organization_id := board.organization_id;
      metric := board.metric;
      if place.value > before.value then
        what := format('the value at place %s', place."position");
        stored := place.value;
        expected := format('at most %s', before.value);
        return next;
      elsif place.value = before.value and place.rank <> before.rank then
        what := format('the rank at place %s', place."position");
        stored := place.rank;
        expected := before.rank;
        return next;
      elsif place.value is distinct from before.value and place.rank not between before."position" + 1 and place."position" then
        what := format('the rank at place %s', place."position");
        stored := place.rank;
        expected := place."position";
        return next;
      end if;
      chain := sha256(chain || convert_to(format('%s,%s,%s;', place.rank, place.entry_id, place.value), 'UTF8'));
      before := place;
    end loop;
    organization_id := board.organization_id;
    metric := board.metric;
    if greatest(places, before."position") > board.people then
      what := 'the number of people';
      stored := board.people;
      expected := format('at least %s', greatest(places, before."position"));
      return next;
    elsif places = board.people and chain <> board.digest then
      what := 'the digest';
      stored := encode(board.digest, 'hex');
      expected := encode(chain, 'hex');
      return next;
    end if;
  end loop;
  perform set_config('app.closing_season', '', true);
end
$$;
comment on function app.audit_season(text) is 'What is wrong with a week''s boards that are history, as far as they tell by themselves.';
revoke all on function app.audit_season(text) from public;

grant create on schema app to breathmaster_worker;
alter function app.people_after(uuid, integer) owner to breathmaster_worker;
alter function app.audited_weeks() owner to breathmaster_worker;
alter function app.audit_tally(text) owner to breathmaster_worker;
alter function app.audit_season(text) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.people_after(uuid, integer), app.audited_weeks(), app.audit_tally(text), app.audit_season(text)
  to breathmaster_owner;
set local role breathmaster_owner;
