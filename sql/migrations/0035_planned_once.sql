-- What boards ask in every statement is planned once, and every place on them is found by an index.
--
-- A function in SQL that has rights or settings of its own is parsed and planned anew by each statement that calls
-- it. In PL/pgSQL it is planned once for a connection: for the board of a company or of friends that was more than
-- all the rest. What needs neither is put into the statement itself, if its body is a parsed one.

create or replace function app.circle() returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select array_agg(uid) || (select app.uid())
    from (
      select friend_uid as uid from app.friendship
      where uid = (select app.uid()) and accepted_at is not null
      union all
      select uid from app.friendship
      where friend_uid = (select app.uid()) and accepted_at is not null
    ) as friend
  );
end
$$;

create or replace function app.own_company_boards() returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(m.organization_id), '{}')
    from app.member m
      join app.organization o on o.organization_id = m.organization_id
    where m.uid = (select app.uid()) and m.organization_id = (select app.organization_id()) and o.leaderboard_enabled
      and o.suspended_at is null and o.deletion_due_at is null and app.sign_in_is_recent(o.max_sign_in_age_hours)
  );
end
$$;

create or replace function app.company_shows_real_names() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from app.organization where organization_id = (select app.organization_id()) and show_real_names
  );
end
$$;

create or replace function app.own_organization_ids() returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (select coalesce(array_agg(organization_id), '{}') from app.member where uid = (select app.uid()));
end
$$;

create or replace function app.permitted_organization_ids(asked text) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(m.organization_id), '{}')
    from app.member m join app.organization o on o.organization_id = m.organization_id
    where m.uid = (select app.uid()) and app.may(m, o, asked)
  );
end
$$;

-- Bodies that are parsed hold on to the columns that they read: those can be dropped only after them.
create or replace function app.is_on_global_board(person app.user) returns boolean
language sql immutable parallel safe
return person.share_progress and person.global_board
  and not person.hide_from_global_leaderboard and not person.friends_only_visible;

create or replace function app.shows_totals_globally(person app.user) returns boolean
language sql immutable parallel safe
return app.is_on_global_board(person) and person.stats_sharing = 'detailed' and person.show_detailed_stats
  and not person.anonymized_display;

create or replace function app.is_on_company_boards(person app.user) returns boolean
language sql immutable parallel safe
return person.share_progress and person.company_board and not person.friends_only_visible;

-- Row security lets a condition use an index only if nothing in it could tell what it sees, which Postgres believes
-- of CASE and not of coalesce. Without it, who comes next among equals was looked for among all of them.
-- Not concurrently, so that no board is read without an index; a million rows take seconds, and syncs come again.
-- squawk-ignore require-concurrent-index-deletion
drop index app.global_standing_by_xp, app.global_standing_by_streak;
-- squawk-ignore require-concurrent-index-creation
create index global_standing_by_xp on app.global_standing
  (period, weekly_xp desc, weekly_xp_at, (case when alias is null then uid else alias end));
-- squawk-ignore require-concurrent-index-creation
create index global_standing_by_streak on app.global_standing
  (period, weekly_streak desc, weekly_streak_at, (case when alias is null then uid else alias end))
  where weekly_streak is not null;
-- squawk-ignore require-concurrent-index-deletion
drop index app.global_season_rank_by_value;
-- squawk-ignore require-concurrent-index-creation
create index global_season_rank_by_value on app.global_season_rank
  (period, metric, value desc, achieved_at, (case when alias is null then uid else alias end)) where shown;

set local role breathmaster_boards;
create or replace view board.global as
select period, case when alias is null then uid else alias end as entry_id, case when alias is null then uid end as uid,
  uid = (select app.uid()) as is_mine, display_name, avatar_url, stats_shown,
  weekly_xp, weekly_xp_at, weekly_xp_before, weekly_streak, weekly_streak_at, weekly_streak_before
from app.global_standing
where (select app.uid()) is not null;

create or replace view board.global_season_rank as
select period, metric, rank, case when alias is null then uid else alias end as entry_id,
  case when alias is null then uid end as uid, uid = (select app.uid()) as is_mine, display_name, avatar_url, value, achieved_at
from app.global_season_rank
where (select app.uid()) is not null and exists (
  select from app.global_season s
  where s.period = global_season_rank.period and s.metric = global_season_rank.metric and s.finalised_at is not null
);

-- Of one table, whose policy alone decides on rows: a barrier would only lose the index's order.
alter view board.company reset (security_barrier);
set local role breathmaster_owner;
