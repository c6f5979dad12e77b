-- What one shows on the boards: as whom, how much, and to whom; and what a company and
-- its people agree on.

-- MARK: What people and companies choose

alter table app.user
  add column anonymized_display boolean not null default false,
  add column stats_sharing text not null default 'minimal'
    constraint user_stats_sharing_invalid check (stats_sharing in ('minimal', 'standard', 'detailed')),
  add column hide_from_global_leaderboard boolean not null default false,
  add column friends_only_visible boolean not null default false,
  add column show_detailed_stats boolean not null default false,
  add column real_name text
    constraint user_real_name_invalid
      check (char_length(real_name) between 1 and 80 and real_name is normalized
        and real_name !~ '[[:cntrl:]]' and real_name ~ '[^[:space:]]'),
  add column show_real_name boolean not null default false,
  add column hides_global_board boolean not null default false,
  add column hides_friends_board boolean not null default false,
  add column hides_company_board boolean not null default false;
comment on column app.user.anonymized_display is 'On the global board under a name of each season''s own, without uid and avatar.';
comment on column app.user.stats_sharing is
  'What stands beside the value on the global board: nothing; what else the week has; and all time too, where show_detailed_stats says so as well.';
comment on column app.user.friends_only_visible is 'On no board but the friends''.';
comment on column app.user.show_detailed_stats is 'Whether any board may show what the person reached in all time.';
comment on column app.user.real_name is 'For colleagues, where both the company and the person say so; nobody else ever sees it.';
comment on column app.user.hides_global_board is 'The person doesn''t want to compare themself: they are shown nothing of that board, not even their own place.';
grant update (anonymized_display, stats_sharing, hide_from_global_leaderboard, friends_only_visible, show_detailed_stats,
  real_name, show_real_name, hides_global_board, hides_friends_board, hides_company_board) on app.user to breathmaster_api;

create function app.is_on_global_board(person app.user) returns boolean
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select person.share_progress and person.global_board
    and not person.hide_from_global_leaderboard and not person.friends_only_visible;
$$;
create function app.is_on_company_boards(person app.user) returns boolean
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select person.share_progress and person.company_board and not person.friends_only_visible;
$$;
-- A pseudonym with one's totals would be recognised by them in the next season.
create function app.shows_totals_globally(person app.user) returns boolean
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select app.is_on_global_board(person) and person.stats_sharing = 'detailed' and person.show_detailed_stats
    and not person.anonymized_display;
$$;
revoke all on function app.is_on_global_board(app.user), app.is_on_company_boards(app.user), app.shows_totals_globally(app.user)
  from public;
grant execute on function app.is_on_global_board(app.user), app.is_on_company_boards(app.user) to breathmaster_api;

-- A company's board is there where the company wants one. Those that there are have been in use.
alter table app.organization
  add column leaderboard_enabled boolean not null default true,
  add column show_real_names boolean not null default false;
alter table app.organization alter column leaderboard_enabled set default false;
comment on column app.organization.show_real_names is 'Whether the board has the real names of those who agree to that, or the names that they chose to be seen by.';
grant update (leaderboard_enabled, show_real_names) on app.organization to breathmaster_api;

create function app.managed_organization_ids() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(organization_id), '{}') from app.member
  where uid = (select app.uid()) and role in ('owner', 'admin');
$$;
comment on function app.managed_organization_ids() is 'Every organization whose settings the bound user may change.';
revoke all on function app.managed_organization_ids() from public;
grant execute on function app.managed_organization_ids() to breathmaster_api;
create policy organization_managed on app.organization for update to breathmaster_api
  using (organization_id = any ((select app.managed_organization_ids())::uuid[]))
  with check (organization_id = any ((select app.managed_organization_ids())::uuid[]));

create function app.own_company_boards() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(m.organization_id), '{}')
  from app.member m
    join app.organization o on o.organization_id = m.organization_id
  where m.uid = (select app.uid()) and m.organization_id = (select app.organization_id()) and o.leaderboard_enabled;
$$;
comment on function app.own_company_boards() is 'The bound organization, if the bound user is a member now and it has its board on.';
create function app.company_shows_real_names() returns boolean
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select exists (select from app.organization where organization_id = (select app.organization_id()) and show_real_names);
$$;
revoke all on function app.own_company_boards(), app.company_shows_real_names() from public;
-- The functions of a view and of its policies are called by whoever reads the view.
grant execute on function app.own_company_boards(), app.company_shows_real_names() to breathmaster_api, breathmaster_boards;

-- MARK: Pseudonyms

create table app.pseudonym (
  uid uuid not null references app.user (uid) on delete cascade,
  period text not null,
  alias uuid not null default gen_random_uuid(),
  primary key (uid, period)
);
comment on table app.pseudonym is
  'As whom a person is on the global board of one season. Drawn by lot, so it leads neither to the person nor to another season; kept, so that it is the same each time.';
alter table app.pseudonym enable row level security;
alter table app.pseudonym force row level security;
create policy pseudonym_self on app.pseudonym to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));

create function app.pseudonym_name(alias uuid) returns text
  language sql immutable strict parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select format('%s %s #%s',
    (array['Quiet', 'Calm', 'Gentle', 'Still', 'Soft', 'Slow', 'Clear', 'Bright', 'Warm', 'Cool', 'Deep', 'Light', 'Mild', 'Kind',
      'Early', 'Late', 'Silver', 'Golden', 'Green', 'Blue', 'Amber', 'Misty', 'Sunny', 'Breezy', 'Mellow', 'Steady', 'Patient',
      'Open', 'Round', 'Tall', 'Small', 'Wide'])[1 + get_byte(uuid_send(alias), 0) % 32],
    (array['Cedar', 'Birch', 'Maple', 'Willow', 'Alder', 'Aspen', 'Hazel', 'Rowan', 'Juniper', 'Laurel', 'Fern', 'Moss', 'Clover',
      'Heather', 'Lotus', 'River', 'Brook', 'Lake', 'Meadow', 'Harbor', 'Island', 'Valley', 'Canyon', 'Dune', 'Cloud', 'Breeze',
      'Dawn', 'Dusk', 'Moon', 'Heron', 'Otter', 'Finch'])[1 + get_byte(uuid_send(alias), 1) % 32],
    lpad(((get_byte(uuid_send(alias), 2) * 256 + get_byte(uuid_send(alias), 3)) % 10000)::text, 4, '0'));
$$;
comment on function app.pseudonym_name(uuid) is 'Such as "Quiet Cedar #1234".';
revoke all on function app.pseudonym_name(uuid) from public;

-- MARK: The projections

alter table app.standing
  add column total_xp integer,
  add column longest_streak integer,
  add column weekly_xp_before integer,
  add column weekly_streak_before integer,
  add column weekly_minutes_before integer,
  add column practised_days_before integer;
comment on column app.standing.total_xp is 'Of all time, from sessions that count: what a device claims beyond them is on no board.';
comment on column app.standing.weekly_xp_before is 'What it was when the week had ended, where practice came in after that.';

alter table app.global_standing
  add column alias uuid,
  add column stats_shown boolean not null default false,
  add column weekly_xp_before integer,
  add column weekly_streak_before integer;
comment on column app.global_standing.alias is 'As whom others know the row, where that is not its person: see app.pseudonym.';
comment on column app.global_standing.stats_shown is 'Whether what else the week has may stand beside a value.';

-- Ties that were reached at once come in the order of whom others see.
-- squawk-ignore require-concurrent-index-deletion
drop index app.global_standing_by_xp, app.global_standing_by_streak;
-- squawk-ignore require-concurrent-index-creation
create index global_standing_by_xp on app.global_standing (period, weekly_xp desc, weekly_xp_at, (coalesce(alias, uid)));
-- squawk-ignore require-concurrent-index-creation
create index global_standing_by_streak on app.global_standing (period, weekly_streak desc, weekly_streak_at, (coalesce(alias, uid)))
  where weekly_streak is not null;
-- squawk-ignore require-concurrent-index-creation
create index global_standing_xp_changed on app.global_standing (period) where weekly_xp_before is not null;
-- squawk-ignore require-concurrent-index-creation
create index global_standing_streak_changed on app.global_standing (period) where weekly_streak_before is not null;

create table app.global_total (
  uid uuid primary key references app.user (uid) on delete cascade,
  total_xp integer not null,
  longest_streak integer,
  total_sessions integer not null
);
comment on table app.global_total is 'What those have reached in all time who want everyone to see it. The streak is null where they don''t share theirs.';
alter table app.global_total enable row level security;
alter table app.global_total force row level security;
create policy global_total_self on app.global_total to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy global_total_everyone on app.global_total for select to breathmaster_boards
  using ((select app.uid()) is not null and uid not in (select b.uid from board.blocked b));
grant select on app.global_total to breathmaster_boards;

alter table app.company_standing
  add column display_name text,
  add column avatar_url text,
  add column real_name text,
  add column weekly_minutes_before integer,
  add column weekly_consistency_before double precision;
comment on column app.company_standing.real_name is 'Null where the person doesn''t want colleagues to see it. Whether the company does is asked with every read.';

-- History is a projection as well: who is still on the board, and as whom, is in the row.
alter table app.global_season_rank
  add column entry_id uuid,
  add column alias uuid,
  add column display_name text,
  add column avatar_url text,
  add column shown boolean not null default true;
comment on column app.global_season_rank.entry_id is 'As whom the digest has the row. Shown to nobody.';
comment on column app.global_season_rank.shown is 'Whether the person is on that board still. Who comes back has their place again.';
alter table app.company_season_rank
  add column display_name text,
  add column avatar_url text,
  add column real_name text,
  add column shown boolean not null default true;

alter table app.user no force row level security;
alter table app.standing no force row level security;
alter table app.company_standing no force row level security;
alter table app.global_season_rank no force row level security;
alter table app.company_season_rank no force row level security;
alter table app.practice_day no force row level security;
alter table app.game_state no force row level security;
update app.standing s set
  total_xp = (select coalesce(sum(d.xp), 0) from app.practice_day d where d.uid = s.uid),
  longest_streak = (select g.longest_streak from app.game_state g where g.uid = s.uid)
where s.period = 'all-time';
update app.company_standing c set display_name = u.display_name, avatar_url = u.avatar_url
from app.user u
where u.uid = c.uid;
update app.global_season_rank r set
  entry_id = u.uid, display_name = u.display_name, avatar_url = u.avatar_url,
  shown = u.share_progress and u.global_board and (r.metric <> 'weekly_streak' or u.share_streaks)
from app.user u
where u.uid = r.uid;
update app.company_season_rank r set
  display_name = u.display_name, avatar_url = u.avatar_url, shown = u.share_progress and u.company_board
from app.user u
where u.uid = r.uid;
alter table app.user force row level security;
alter table app.standing force row level security;
alter table app.company_standing force row level security;
alter table app.global_season_rank force row level security;
alter table app.company_season_rank force row level security;
alter table app.practice_day force row level security;
alter table app.game_state force row level security;
-- squawk-ignore adding-not-nullable-field
alter table app.global_season_rank alter column entry_id set not null;

-- squawk-ignore require-concurrent-index-deletion
drop index app.global_season_rank_by_position, app.company_season_rank_by_position;
-- squawk-ignore require-concurrent-index-creation
create index global_season_rank_by_value on app.global_season_rank
  (period, metric, value desc, achieved_at, (coalesce(alias, uid))) where shown;
-- squawk-ignore require-concurrent-index-creation
create index company_season_rank_by_value on app.company_season_rank
  (organization_id, period, metric, value desc, achieved_at, uid) where shown;
-- The job goes on after the last place, whether or not that is shown.
-- squawk-ignore require-concurrent-index-creation
create index global_season_rank_by_position on app.global_season_rank (period, metric, "position" desc);
-- squawk-ignore require-concurrent-index-creation
create index company_season_rank_by_position on app.company_season_rank (organization_id, period, metric, "position" desc);

create policy global_season_rank_self on app.global_season_rank to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy company_season_rank_self on app.company_season_rank to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
-- A block doesn't hide a pseudonym: by its going one would know whose it was.
alter policy global_standing_everyone on app.global_standing
  using ((select app.uid()) is not null and (alias is not null or uid not in (select b.uid from board.blocked b)));
alter policy global_season_rank_everyone on app.global_season_rank
  using (shown and (select app.uid()) is not null and (alias is not null or uid not in (select b.uid from board.blocked b)));
alter policy company_season_rank_colleagues on app.company_season_rank
  using (shown and organization_id = any ((select app.own_company_boards())::uuid[])
    and uid not in (select b.uid from board.blocked b));
alter policy company_season_members on app.company_season
  using (organization_id = any ((select app.own_company_boards())::uuid[]));
-- One policy does what two did: both ask who is a member now.
drop policy company_standing_still_member on app.company_standing;
alter policy company_standing_colleagues on app.company_standing
  using (organization_id = any ((select app.own_company_boards())::uuid[])
    and uid not in (select b.uid from board.blocked b));

revoke select (share_progress, share_streaks, global_board, company_board) on app.user from breathmaster_boards;
grant select (show_detailed_stats) on app.user to breathmaster_boards;
grant select (total_xp, longest_streak, weekly_xp_before, weekly_streak_before) on app.standing to breathmaster_boards;
grant select (alias, display_name, avatar_url) on app.global_standing to breathmaster_worker;

-- MARK: The views

-- Made anew at once, in the same transaction.
-- squawk-ignore ban-drop-view
drop view board.global, board.friends, board.company, board.global_season_rank, board.company_season_rank;

-- Of one table, whose policy alone decides on rows: a barrier would keep nothing back, and
-- lose the index's order. So are those of history.
create view board.global as
select period, coalesce(alias, uid) as entry_id, case when alias is null then uid end as uid, uid = (select app.uid()) as is_mine,
  display_name, avatar_url, stats_shown,
  weekly_xp, weekly_xp_at, weekly_xp_before,
  weekly_streak, weekly_streak_at, weekly_streak_before
from app.global_standing
where (select app.uid()) is not null;
comment on view board.global is
  'weeklyXP and weeklyStreak of everyone who opted in, but those between whom and the viewer there is a block. Ranks count them too, by app.global_tally. Who is there under a pseudonym has no uid, and no block hides them: that would tell whose it is.';

create view board.global_total with (security_barrier) as
select uid, total_xp, longest_streak, total_sessions
from app.global_total
where (select app.uid()) is not null;
comment on view board.global_total is 'What those on the global board have reached in all time who want that seen.';

create view board.friends with (security_barrier) as
select s.period, s.uid as entry_id, s.uid, s.uid = (select app.uid()) as is_mine, u.display_name, u.avatar_url,
  s.weekly_xp, s.last_session_at as weekly_xp_at, s.weekly_xp_before,
  case when s.streak_shown then s.weekly_streak end as weekly_streak,
  case when s.streak_shown then s.streak_at end as weekly_streak_at,
  case when s.streak_shown then s.weekly_streak_before end as weekly_streak_before,
  case when u.share_detailed_progress then t.total_sessions end as total_sessions,
  case when u.share_detailed_progress then t.last_session_at end as total_sessions_at,
  case when u.share_detailed_progress then t.favorite_patterns end as favorite_patterns,
  case when u.show_detailed_stats then t.total_xp end as total_xp,
  case when u.show_detailed_stats and s.streak_shown then t.longest_streak end as longest_streak
from app.standing s
  join app.user u on u.uid = s.uid
  join app.standing t on t.uid = s.uid and t.period = 'all-time'
where (select app.uid()) is not null
  and s.uid not in (select b.uid from board.blocked b);
comment on view board.friends is
  'weeklyXP and weeklyStreak of the viewer and the friends who share, totalSessions and favoritePatterns of those who share details, and totalXP and longestStreak of those who show what they reached in all time.';

create view board.company with (security_barrier) as
select organization_id, period, uid as entry_id, uid, uid = (select app.uid()) as is_mine,
  case when (select app.company_shows_real_names()) then coalesce(real_name, display_name) else display_name end as display_name,
  avatar_url,
  weekly_minutes, weekly_minutes_at, weekly_minutes_before,
  weekly_consistency, weekly_consistency_at, weekly_consistency_before,
  team_challenge_participation, team_challenge_participation_at
from app.company_standing
where (select app.uid()) is not null;
comment on view board.company is
  'weeklyMinutes, weeklyConsistency and teamChallengeParticipation of the members of the bound organization who agreed, where it has its board on.';

create view board.global_season_rank as
select period, metric, rank, coalesce(alias, uid) as entry_id, case when alias is null then uid end as uid,
  uid = (select app.uid()) as is_mine, display_name, avatar_url, value, achieved_at
from app.global_season_rank
where (select app.uid()) is not null
  and exists (
    select from app.global_season s
    where s.period = global_season_rank.period and s.metric = global_season_rank.metric and s.finalised_at is not null);
comment on view board.global_season_rank is
  'The ranks of the global boards that are history, of those who are on that board still, but those between whom and the viewer there is a block.';

create view board.company_season_rank as
select organization_id, period, metric, rank, uid as entry_id, uid, uid = (select app.uid()) as is_mine,
  case when (select app.company_shows_real_names()) then coalesce(real_name, display_name) else display_name end as display_name,
  avatar_url, value, achieved_at
from app.company_season_rank
where (select app.uid()) is not null
  and exists (
    select from app.company_season s
    where s.organization_id = company_season_rank.organization_id and s.period = company_season_rank.period
      and s.metric = company_season_rank.metric and s.finalised_at is not null);
comment on view board.company_season_rank is
  'The ranks of the bound organization''s boards that are history, of those who are on that board still.';

grant select on board.global, board.global_total, board.friends, board.company, board.global_season_rank,
  board.company_season_rank to breathmaster_api;
alter view board.global owner to breathmaster_boards;
alter view board.global_total owner to breathmaster_boards;
alter view board.friends owner to breathmaster_boards;
alter view board.company owner to breathmaster_boards;
alter view board.global_season_rank owner to breathmaster_boards;
alter view board.company_season_rank owner to breathmaster_boards;

-- MARK: What keeps the projections

create or replace function app.project_standings() returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me app.user;
  on_global boolean;
  on_company boolean;
begin
  -- Ranks become history from what the boards have: before this, or of what this leaves.
  perform pg_advisory_xact_lock_shared(hashtextextended('app.season history', 0));
  -- Locked, so that what the person agrees to doesn't change meanwhile; their
  -- sync, their change of mind and their joining take turns.
  select * into strict me from app.user where uid = (select app.uid()) for no key update;
  on_global := app.is_on_global_board(me);
  on_company := app.is_on_company_boards(me);

  update app.standing
  set with_friends = me.share_progress and me.friends_board, streak_shown = me.share_streaks
  where uid = me.uid
    and (with_friends, streak_shown) is distinct from (me.share_progress and me.friends_board, me.share_streaks);

  if on_global and me.anonymized_display then
    insert into app.pseudonym (uid, period)
    select me.uid, period from app.standing where uid = me.uid and period <> 'all-time'
    union
    select me.uid, period from app.global_season_rank where uid = me.uid
    on conflict do nothing;
  end if;

  delete from app.global_standing g
  where g.uid = me.uid
    and not (on_global and exists (select from app.standing s where s.uid = me.uid and s.period = g.period));
  if on_global then
    insert into app.global_standing as g
      (period, uid, alias, display_name, avatar_url, stats_shown, weekly_xp, weekly_xp_at, weekly_xp_before,
        weekly_streak, weekly_streak_at, weekly_streak_before)
    select s.period, s.uid, p.alias,
      case when p.alias is null then me.display_name else app.pseudonym_name(p.alias) end,
      case when p.alias is null then me.avatar_url end,
      me.stats_sharing <> 'minimal', s.weekly_xp, s.last_session_at, s.weekly_xp_before,
      case when me.share_streaks then s.weekly_streak end, case when me.share_streaks then s.streak_at end,
      case when me.share_streaks then s.weekly_streak_before end
    from app.standing s
      left join app.pseudonym p on p.uid = s.uid and p.period = s.period and me.anonymized_display
    where s.uid = me.uid and s.period <> 'all-time'
    on conflict (period, uid) do update
      set (alias, display_name, avatar_url, stats_shown, weekly_xp, weekly_xp_at, weekly_xp_before,
          weekly_streak, weekly_streak_at, weekly_streak_before)
        = (excluded.alias, excluded.display_name, excluded.avatar_url, excluded.stats_shown, excluded.weekly_xp,
          excluded.weekly_xp_at, excluded.weekly_xp_before, excluded.weekly_streak, excluded.weekly_streak_at,
          excluded.weekly_streak_before);
  end if;
  update app.global_season_rank r
  set alias = p.alias,
    display_name = case when p.alias is null then me.display_name else app.pseudonym_name(p.alias) end,
    avatar_url = case when p.alias is null then me.avatar_url end,
    shown = on_global and (r.metric <> 'weekly_streak' or me.share_streaks)
  from app.global_season_rank same
    left join app.pseudonym p on p.uid = same.uid and p.period = same.period and me.anonymized_display
  where same.uid = me.uid and r.uid = same.uid and r.period = same.period and r.metric = same.metric;

  delete from app.global_total where uid = me.uid;
  insert into app.global_total (uid, total_xp, longest_streak, total_sessions)
  select s.uid, s.total_xp, case when me.share_streaks then s.longest_streak end, s.total_sessions
  from app.standing s
  where s.uid = me.uid and s.period = 'all-time' and app.shows_totals_globally(me);

  delete from app.company_standing c
  where c.uid = me.uid
    and not (on_company and exists (select from app.standing s where s.uid = me.uid and s.period = c.period));
  if on_company then
    insert into app.company_standing as c
      (organization_id, period, uid, display_name, avatar_url, real_name, weekly_minutes, weekly_minutes_at,
        weekly_minutes_before, weekly_consistency, weekly_consistency_at, weekly_consistency_before)
    select m.organization_id, s.period, s.uid, me.display_name, me.avatar_url, case when me.show_real_name then me.real_name end,
      s.weekly_minutes, s.last_session_at, s.weekly_minutes_before,
      s.practised_days / 7.0, s.last_day_at, s.practised_days_before / 7.0
    from app.standing s
      cross join app.member m
    where s.uid = me.uid and m.uid = me.uid and s.period <> 'all-time'
    -- Someone who is leaving in this moment has left before this looks.
    for key share of m
    on conflict (organization_id, period, uid) do update
      set (display_name, avatar_url, real_name, weekly_minutes, weekly_minutes_at, weekly_minutes_before,
          weekly_consistency, weekly_consistency_at, weekly_consistency_before)
        = (excluded.display_name, excluded.avatar_url, excluded.real_name, excluded.weekly_minutes,
          excluded.weekly_minutes_at, excluded.weekly_minutes_before, excluded.weekly_consistency,
          excluded.weekly_consistency_at, excluded.weekly_consistency_before);
  end if;
  update app.company_season_rank
  set display_name = me.display_name, avatar_url = me.avatar_url,
    real_name = case when me.show_real_name then me.real_name end, shown = on_company
  where uid = me.uid;
end
$$;

-- A name is part of what is shown, so one trigger does for both.
drop trigger user_shown on app.user;
-- squawk-ignore ban-drop-function
drop function app.show_person();
drop trigger user_sharing_changed on app.user;
create trigger user_sharing_changed
  after update of share_progress, share_streaks, global_board, friends_board, company_board, display_name, avatar_url,
    anonymized_display, stats_sharing, hide_from_global_leaderboard, friends_only_visible, show_detailed_stats, real_name,
    show_real_name on app.user
  for each row when (
    (old.share_progress, old.share_streaks, old.global_board, old.friends_board, old.company_board, old.display_name,
      old.avatar_url, old.anonymized_display, old.stats_sharing, old.hide_from_global_leaderboard, old.friends_only_visible,
      old.show_detailed_stats, old.real_name, old.show_real_name)
    is distinct from
    (new.share_progress, new.share_streaks, new.global_board, new.friends_board, new.company_board, new.display_name,
      new.avatar_url, new.anonymized_display, new.stats_sharing, new.hide_from_global_leaderboard, new.friends_only_visible,
      new.show_detailed_stats, new.real_name, new.show_real_name)
  )
  execute function app.project_on_change();

-- A server from before would call it, and serves no schema that it doesn't know.
-- squawk-ignore ban-drop-function
drop function app.publish_standings(text[], text[], integer[], integer[], integer[], integer[], integer[], timestamptz[],
  timestamptz[], timestamptz[]);
create function app.publish_standings(
  changed text[], ended text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[],
  practised_dayses integer[], total_xps integer[], longest_streaks integer[], total_sessionses integer[],
  last_session_ats timestamptz[], last_day_ats timestamptz[], streak_ats timestamptz[]
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
    delete from app.global_total where uid = me.uid and 'all-time' <> all (periods);
  end if;

  if app.is_on_global_board(me) and me.anonymized_display then
    insert into app.pseudonym (uid, period)
    select me.uid, unnest(periods) except select me.uid, unnest(closed || 'all-time'::text)
    on conflict do nothing;
  end if;

  -- The projections are of what this writes, in one statement with it.
  with published as (
    insert into app.standing as s (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_xp,
      longest_streak, total_sessions, last_session_at, last_day_at, streak_at, with_friends, streak_shown,
      weekly_xp_before, weekly_streak_before, weekly_minutes_before, practised_days_before)
    select me.uid, row.*, me.share_progress and me.friends_board, me.share_streaks,
      late.nothing, late.nothing, late.nothing, late.nothing
    from unnest(periods, weekly_xps, weekly_streaks, weekly_minuteses, practised_dayses, total_xps, longest_streaks,
        total_sessionses, last_session_ats, last_day_ats, streak_ats) as row (period)
      -- Who had not practised in a week that has ended comes from nothing.
      cross join lateral (select case when row.period = any (ended) then 0 end as nothing) as late
    where row.period <> all (closed)
    on conflict (uid, period) do update
      set (weekly_xp, weekly_streak, weekly_minutes, practised_days, total_xp, longest_streak, total_sessions,
          last_session_at, last_day_at, streak_at, weekly_xp_before, weekly_streak_before, weekly_minutes_before,
          practised_days_before)
        = (excluded.weekly_xp, excluded.weekly_streak, excluded.weekly_minutes, excluded.practised_days,
          excluded.total_xp, excluded.longest_streak, excluded.total_sessions, excluded.last_session_at,
          excluded.last_day_at, excluded.streak_at,
          coalesce(s.weekly_xp_before, case when excluded.period = any (ended) then s.weekly_xp end),
          coalesce(s.weekly_streak_before, case when excluded.period = any (ended) then s.weekly_streak end),
          coalesce(s.weekly_minutes_before, case when excluded.period = any (ended) then s.weekly_minutes end),
          coalesce(s.practised_days_before, case when excluded.period = any (ended) then s.practised_days end))
    returning s.*
  ), global as (
    insert into app.global_standing
      (period, uid, alias, display_name, avatar_url, stats_shown, weekly_xp, weekly_xp_at, weekly_xp_before,
        weekly_streak, weekly_streak_at, weekly_streak_before)
    select s.period, s.uid, p.alias,
      case when p.alias is null then me.display_name else app.pseudonym_name(p.alias) end,
      case when p.alias is null then me.avatar_url end,
      me.stats_sharing <> 'minimal', s.weekly_xp, s.last_session_at, s.weekly_xp_before,
      case when me.share_streaks then s.weekly_streak end, case when me.share_streaks then s.streak_at end,
      case when me.share_streaks then s.weekly_streak_before end
    from published s
      left join app.pseudonym p on me.anonymized_display and p.uid = s.uid and p.period = s.period
    where app.is_on_global_board(me) and s.period <> 'all-time'
    on conflict (period, uid) do update
      set (weekly_xp, weekly_xp_at, weekly_xp_before, weekly_streak, weekly_streak_at, weekly_streak_before)
        = (excluded.weekly_xp, excluded.weekly_xp_at, excluded.weekly_xp_before, excluded.weekly_streak,
          excluded.weekly_streak_at, excluded.weekly_streak_before)
  ), total as (
    insert into app.global_total (uid, total_xp, longest_streak, total_sessions)
    select s.uid, s.total_xp, case when me.share_streaks then s.longest_streak end, s.total_sessions
    from published s
    where app.shows_totals_globally(me) and s.period = 'all-time'
    on conflict (uid) do update
      set (total_xp, longest_streak, total_sessions) = (excluded.total_xp, excluded.longest_streak, excluded.total_sessions)
  )
  insert into app.company_standing as c
    (organization_id, period, uid, display_name, avatar_url, real_name, weekly_minutes, weekly_minutes_at,
      weekly_minutes_before, weekly_consistency, weekly_consistency_at, weekly_consistency_before)
  select m.organization_id, s.period, s.uid, me.display_name, me.avatar_url, case when me.show_real_name then me.real_name end,
    s.weekly_minutes, s.last_session_at, s.weekly_minutes_before,
    s.practised_days / 7.0, s.last_day_at, s.practised_days_before / 7.0
  from published s
    cross join app.member m
  where app.is_on_company_boards(me) and m.uid = me.uid and s.period <> 'all-time'
  -- Someone who is leaving in this moment has left before this looks.
  for key share of m
  on conflict (organization_id, period, uid) do update
    set (weekly_minutes, weekly_minutes_at, weekly_minutes_before, weekly_consistency, weekly_consistency_at,
        weekly_consistency_before)
      = (excluded.weekly_minutes, excluded.weekly_minutes_at, excluded.weekly_minutes_before, excluded.weekly_consistency,
        excluded.weekly_consistency_at, excluded.weekly_consistency_before);
end
$$;
comment on function app.publish_standings(text[], text[], text[], integer[], integer[], integer[], integer[], integer[],
  integer[], integer[], timestamptz[], timestamptz[], timestamptz[]) is
  'The bound user''s standings of some periods; those of the changed ones without numbers go, of all where changed is null. A closed week stays as it is; of one that has ended, what it was then is kept.';
revoke all on function app.publish_standings(text[], text[], text[], integer[], integer[], integer[], integer[], integer[],
  integer[], integer[], timestamptz[], timestamptz[], timestamptz[]) from public;
grant execute on function app.publish_standings(text[], text[], text[], integer[], integer[], integer[], integer[], integer[],
  integer[], integer[], timestamptz[], timestamptz[], timestamptz[]) to breathmaster_api;

-- MARK: What makes history

grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;

-- As before, with what is shown of each row. The digest has people as others see them:
-- from their uids it would give away who is behind a pseudonym.
create or replace function app.finalise_board(week text, organization uuid, measure text, most integer, at timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  kind constant text := case when organization is null then 'global' else 'company' end;
  number constant text := case when organization is null then 'integer' else 'double precision' end;
  owned constant text := case when organization is null then '' else 'organization_id = $1 and ' end;
  named constant text := case when organization is null then 'alias, null::text as real_name' else 'null::uuid as alias, real_name' end;
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
  -- Ties that were reached at once by uid: a pseudonym may come or go between two steps.
  for reached in execute format(
    'select uid, display_name, avatar_url, %6$s, %1$I::float8 as value, %2$I as achieved_at
     from app.%3$I
     where %4$s period = $2 and %1$I > 0
       and ($4 is null or %1$I <= $4::%5$s and (%1$I < $4::%5$s or (%2$I, uid) > ($5, $6)))
     order by %1$I desc, %2$I, uid
     limit $7',
    measure, measure || '_at', kind || '_standing', owned, number, named)
    using organization, week, measure, last.value, last.achieved_at, last.uid, most
  loop
    board.people := board.people + 1;
    board.last_rank := case when reached.value = board.last_value then board.last_rank else board.people end;
    board.last_value := reached.value;
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
    'update app.%I set (people, last_rank, last_value, digest, finalised_at) = ($4, $5, $6, $7, $8)
     where %s period = $2 and metric = $3', kind || '_season', owned)
    using organization, week, measure, board.people, board.last_rank, board.last_value, board.digest,
      case when written < most then at end;
  return written;
end
$$;

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
    -- A board without anybody is work too.
    most := most - greatest(1, app.finalise_board(week, board.organization_id, board.metric, most, at));
  end loop;
  perform set_config('app.closing_season', '', true);
  return left_over;
end
$$;

-- Whoever closes seasons asks this first: nearly always there is nothing to close.
create function app.unfinished_seasons(weeks text[]) returns table (week text, closed boolean)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select given, s.period is not null
  from unnest(weeks) as given
    left join app.season s on s.period = given
  where s.finalised_at is null
  order by given;
$$;
comment on function app.unfinished_seasons(text[]) is 'Those of the weeks whose ranks are not history yet, and whether they are closed.';
revoke all on function app.unfinished_seasons(text[]) from public;
grant execute on function app.unfinished_seasons(text[]) to breathmaster_api;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
