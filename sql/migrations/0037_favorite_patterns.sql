-- What a friends board shows as favourite patterns: those that a person has set for the times of their day.

-- In the order in which a sync takes them: one that waited in between would wait for this, and this for it.
lock table app.state_entry, app.standing in access exclusive mode;

-- Others see this, so only what could be the name of a pattern: of what else a device keeps there, nothing, and what is
-- too long to be one isn't even looked into.
create function app.favorite_patterns(person uuid) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(
  select value #>> '{}' as pattern
  from app.state_entry
  where uid = person and field = 'preferredPatterns' and case when pg_column_size(value) <= 100 then
    jsonb_typeof(value) = 'string' and value #>> '{}' ~ '^[a-z0-9][a-z0-9_-]{0,63}$'
  end
  group by pattern
  order by count(*) desc, pattern
  limit 3
);
alter function app.favorite_patterns(uuid) owner to breathmaster_owner;
revoke all on function app.favorite_patterns(uuid) from public;
comment on function app.favorite_patterns(uuid) is
  'The three patterns that somebody has set for most times of their day, as far as the bound user may read it.';

create function app.project_favorite_patterns() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  favorites constant text[] := app.favorite_patterns(me);
begin
  if exists (
    select from app.standing where uid = me and period = 'all-time' and favorite_patterns is distinct from favorites
  ) then
    -- The person before their standings, as whoever writes these does.
    perform from app.user where uid = me for no key update;
    update app.standing set favorite_patterns = favorites where uid = me and period = 'all-time';
  end if;
  return null;
end
$$;
alter function app.project_favorite_patterns() owner to breathmaster_owner;
revoke all on function app.project_favorite_patterns() from public;
comment on function app.project_favorite_patterns() is
  'Keeps the favourites of the bound user''s standing of all time, whichever of the two is written first.';

-- Once for however many entries a device brings.
create trigger state_entry_projected after insert or update on app.state_entry
  for each statement execute function app.project_favorite_patterns();
create trigger standing_projected after insert on app.standing
  for each row when (new.period = 'all-time') execute function app.project_favorite_patterns();

alter table app.standing no force row level security;
alter table app.state_entry no force row level security;
update app.standing s set favorite_patterns = app.favorite_patterns(s.uid)
where s.period = 'all-time' and exists (
  select from app.state_entry e where e.uid = s.uid and e.field = 'preferredPatterns' and e.value is not null
);
alter table app.standing force row level security;
alter table app.state_entry force row level security;
