-- The global board of any size: pages by an index, and ranks without counting
-- everyone above.

-- A row of the projection is all that others see, the name too. So a board reads one
-- table, whose policy decides, and nothing keeps it from reading in the index's order.
alter table app.global_standing
  add column display_name text,
  add column avatar_url text;
comment on column app.global_standing.display_name is 'As the person is shown: copied, so that the row is all that there is to see.';

alter table app.global_standing no force row level security;
alter table app.user no force row level security;
update app.global_standing g set display_name = u.display_name, avatar_url = u.avatar_url
from app.user u
where u.uid = g.uid;
-- squawk-ignore require-concurrent-index-creation
create index global_standing_by_streak on app.global_standing (period, weekly_streak desc, weekly_streak_at, uid)
  where weekly_streak is not null;

-- How many people reached which value. Values are small whole numbers, so an exact
-- rank adds up a few hundred counts at most: those of whole buckets above, and those
-- of single values in one's own bucket.
create table app.global_tally (
  period text not null,
  metric text not null check (metric in ('weekly_xp', 'weekly_streak')),
  level integer not null check (level in (0, 1)),
  bucket integer not null,
  people bigint not null,
  primary key (period, metric, level, bucket)
);
comment on table app.global_tally is 'Counts of people by what they reached on the global board. Of nobody in particular.';
comment on column app.global_tally.level is '0 counts single values, 1 buckets of 128 of them.';

-- Everybody's practice would wait for one row of counts if it were written at once.
-- So a change is only added here, and folded into the counts a little later; who
-- counts adds up both.
create table app.global_tally_change (
  change_id bigint generated always as identity primary key,
  period text not null,
  metric text not null,
  value integer not null,
  people bigint not null
);
comment on table app.global_tally_change is 'What app.global_tally doesn''t contain yet.';
create index global_tally_change_by_value on app.global_tally_change (period, metric, value);

grant select on app.global_tally, app.global_tally_change to breathmaster_boards;

-- Whatever changes a standing, a sync or a change of mind or the end of an account,
-- changes the counts in the same transaction.
create function app.tally_global_standing() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into app.global_tally_change (period, metric, value, people)
  select period, metric, value, sum(people)
  from (values
    (old.period, 'weekly_xp', old.weekly_xp, -1),
    (old.period, 'weekly_streak', old.weekly_streak, -1),
    (new.period, 'weekly_xp', new.weekly_xp, 1),
    (new.period, 'weekly_streak', new.weekly_streak, 1)
  ) as change (period, metric, value, people)
  where value > 0
  group by period, metric, value
  having sum(people) <> 0;
  return null;
end
$$;
revoke all on function app.tally_global_standing() from public;
create trigger global_standing_tallied
  after insert or delete or update of weekly_xp, weekly_streak on app.global_standing
  for each row execute function app.tally_global_standing();

create function app.fold_global_tally(most integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  folded integer;
begin
  -- One at a time: two would wait for each other's counts.
  if not pg_try_advisory_xact_lock(hashtextextended('app.fold_global_tally', 0)) then
    return 0;
  end if;
  with change as (
    delete from app.global_tally_change
    where change_id in (select change_id from app.global_tally_change order by change_id limit most)
    returning period, metric, value, people
  ), counted as (
    insert into app.global_tally as t (period, metric, level, bucket, people)
    select period, metric, level, case level when 0 then value else value / 128 end as bucket, sum(change.people)
    from change
      cross join unnest(array[0, 1]) as level
    group by 1, 2, 3, 4
    on conflict (period, metric, level, bucket) do update set people = t.people + excluded.people
  )
  select count(*) into folded from change;
  return folded;
end
$$;
comment on function app.fold_global_tally(integer) is
  'Folds so many changes into the counts, and says how many it were: 0 as well while another call is at it.';
revoke all on function app.fold_global_tally(integer) from public;
grant execute on function app.fold_global_tally(integer) to breathmaster_api;

insert into app.global_tally (period, metric, level, bucket, people)
select period, metric, level, case level when 0 then value else value / 128 end, count(*)
from app.global_standing
  cross join lateral (values ('weekly_xp', weekly_xp), ('weekly_streak', weekly_streak)) as reached (metric, value)
  cross join unnest(array[0, 1]) as level
where value > 0
group by 1, 2, 3, 4;

alter table app.user force row level security;
alter table app.global_standing force row level security;

-- A name that changes does so everywhere at once.
create function app.show_person() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update app.global_standing set display_name = new.display_name, avatar_url = new.avatar_url where uid = new.uid;
  return null;
end
$$;
revoke all on function app.show_person() from public;
create trigger user_shown
  after update of display_name, avatar_url on app.user
  for each row when ((old.display_name, old.avatar_url) is distinct from (new.display_name, new.avatar_url))
  execute function app.show_person();

-- As before, and with the name in the projection.
create or replace function app.project_standings() returns void
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
    insert into app.global_standing as g
      (period, uid, display_name, avatar_url, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
    select period, uid, me.display_name, me.avatar_url, weekly_xp, last_session_at,
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
    insert into app.global_standing as g
      (period, uid, display_name, avatar_url, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
    select row.period, me.uid, me.display_name, me.avatar_url, row.weekly_xp, row.last_session_at,
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

set local role breathmaster_boards;
create or replace view board.global as
select period, uid, display_name, avatar_url, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at
from app.global_standing
where (select app.uid()) is not null;
-- Of one table, whose policy alone decides on rows: there is nothing that a barrier
-- would have to keep from a caller's condition, and it would lose the index's order.
alter view board.global reset (security_barrier);
comment on view board.global is
  'weeklyXP and weeklyStreak of everyone who opted in, but those between whom and the viewer there is a block. Ranks count them too, by app.global_tally.';

create view board.global_count with (security_barrier) as
select period, metric, level, bucket, people
from (
  select period, metric, level, bucket, people from app.global_tally
  union all
  select period, metric, 2, value, people from app.global_tally_change
) as counted
where (select app.uid()) is not null;
comment on view board.global_count is
  'How many people reached what: level 0 by value, 1 by bucket of 128, and 2, by value, what the others don''t contain yet.';
grant select on board.global_count to breathmaster_api;
set local role breathmaster_owner;

alter policy global_standing_everyone on app.global_standing
  using ((select app.uid()) is not null and uid not in (select b.uid from board.blocked b));
