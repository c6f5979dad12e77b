-- :users people past the gate, each with 50 sessions of ten minutes on 25 days, as
-- 50 syncs would have left them; everyone shares, so every board has a row of each.
-- To be run by a superuser on a migrated, empty database.
set session_replication_role = replica; -- nothing here that a trigger or a foreign key would refuse
set synchronous_commit = off;

create temporary table person as
select n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as uid
from generate_series(1, :users) as n;

insert into app.user (uid, display_name, share_progress, share_streaks, global_board, friends_board, company_board,
  created_at)
select uid, 'Practitioner ' || n, true, true, true, true, true, now() - interval '60 days' from person;

insert into app.refresh_token (uid, family, current_hash, expires_at)
select uid, uid, sha256(uid::text::bytea), now() + interval '60 days' from person;

create temporary view practitioner as select uid from person;
\ir ledgers.sql

create temporary table week as
select to_char(local_day, 'IYYY"-W"IW') as period, 90 * count(*) as xp, count(*) as days,
  max((local_day + time '12:10') at time zone 'UTC') as last_session_at,
  max((local_day + time '08:10') at time zone 'UTC') as last_day_at
from practised
group by 1;

insert into app.standing (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_sessions,
  last_session_at, last_day_at, streak_at, with_friends, streak_shown)
select uid, period, xp, days, days * 20, days, null::integer, last_session_at, last_day_at, last_day_at, true, true
from person cross join week
union all
select uid, 'all-time', null, null, null, null, 50, (select max(last_session_at) from week),
  (select max(last_day_at) from week), (select max(last_day_at) from week), true, true
from person;

insert into app.global_standing (period, uid, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at)
select period, uid, xp, last_session_at, days, last_day_at from person cross join week;

-- A company for each thousand.
create temporary table company as
select n, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid as organization_id
from generate_series(0, (:users - 1) / 1000) as n;
insert into app.organization (organization_id, name)
select organization_id, 'Company ' || n from company;
insert into app.member (organization_id, uid, role)
select organization_id, uid, 'member' from person join company on company.n = (person.n - 1) / 1000;
insert into app.company_standing (organization_id, period, uid, weekly_minutes, weekly_minutes_at, weekly_consistency,
  weekly_consistency_at)
select organization_id, period, uid, days * 20, last_session_at, days / 7.0, last_day_at
from person join company on company.n = (person.n - 1) / 1000 cross join week;
vacuum (analyze, freeze);
