-- A company's boards are for its domain where it says so, and a week in which it had none has no history.

comment on column app.organization.domain_restricted is
  'Whether only addresses in its proved domains are invited, and only people of those are on its boards: a member who is there for another reason and shows no address in one of them is a guest, see app.company_guests. Without a proved domain there are no guests.';

-- MARK: Guests

-- An address in the domain is how most come to be members, by invitation too, and is remembered: to look for the addresses
-- of all whom a company has invited took 15 ms of each statement for its board, with 50,000 of them.
alter table app.member add column shown_domain text;
comment on column app.member.shown_domain is
  'A proved domain of the organization in which they had shown an address when they became a member, until one of the two goes. Who has one is no guest; who has none may be none as well, for an address shown since.';

-- Who may be a guest.
-- Not concurrently: a migration is one transaction, and a million members take a second.
-- squawk-ignore require-concurrent-index-creation
create index member_for_another_reason on app.member (organization_id, uid)
  where domain is null and directory_user_id is null and shown_domain is null;

-- What follows a company's directory sees that company, its members, its domains and the addresses in those: all that
-- says who is a guest.
create policy organization_followed on app.organization for select to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()));
grant select (domain_restricted) on app.organization to breathmaster_worker;
grant select (shown_domain), update (shown_domain) on app.member to breathmaster_worker;

-- What sees that asks these, now with every statement for a board. Parsed bodies become part of the statement, and
-- PL/pgSQL is planned once for a connection.
create or replace function app.tending() returns timestamptz
language sql stable parallel safe
return nullif(current_setting('app.tending', true), '')::timestamptz;

create or replace function app.tended_organization_id() returns uuid
language sql stable parallel safe
return case when app.tending() is not null then nullif(current_setting('app.organization_id', true), '')::uuid end;

create or replace function app.followed_organization_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.key_organization_id', true), '')::uuid;

create or replace function app.addressed() returns text
language sql stable parallel safe
return nullif(current_setting('app.addressed', true), '');

grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
create or replace function app.provisioned_domains() returns text[]
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(domain), '{}') from app.domain_claim
    where organization_id = (select app.followed_organization_id()) and proved_at is not null
  );
end
$$;

create function app.restricting_domains() returns text[]
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(d.domain), '{}')
    from app.organization o join app.domain_claim d on d.organization_id = o.organization_id
    where o.organization_id = (select app.followed_organization_id()) and o.domain_restricted
      and d.proved_at is not null
  );
end
$$;
comment on function app.restricting_domains() is
  'The proved domains of the followed company, where its boards are for people of those. None where they are for everybody.';
revoke all on function app.restricting_domains() from public;

create function app.company_guests() returns uuid[]
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  company constant uuid := app.organization_id();
  domains text[];
  guests uuid[];
begin
  perform set_config('app.key_organization_id', coalesce(company::text, ''), true);
  guests := array(
    select m.uid from app.member m
    where m.organization_id = company and m.domain is null and m.directory_user_id is null and m.shown_domain is null
  );
  -- Mostly there is nobody to be asked about.
  if guests <> '{}' then
    domains := app.restricting_domains();
    guests := array(
      select g.uid from unnest(guests) as g (uid)
      where domains <> '{}' and not exists (select from app.email_claim e where e.uid = g.uid and e.domain = any (domains))
    );
  end if;
  perform set_config('app.key_organization_id', outer_organization, true);
  return guests;
end
$$;
comment on function app.company_guests() is
  'Those members of the bound organization who are on none of its boards and have none: it has a proved domain and restricts itself to that, and neither a domain nor its directory has brought them, nor do they show an address in one.';

create function app.is_guest_of(of_organization uuid) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  me constant uuid := app.uid();
  domains text[];
  is_guest boolean;
begin
  perform set_config('app.key_organization_id', of_organization::text, true);
  is_guest := exists (
    select from app.member m
    where m.organization_id = of_organization and m.uid = me and m.domain is null and m.directory_user_id is null
      and m.shown_domain is null
  );
  if is_guest then
    domains := app.restricting_domains();
    is_guest := domains <> '{}'
      and not exists (select from app.email_claim e where e.uid = me and e.domain = any (domains));
  end if;
  perform set_config('app.key_organization_id', outer_organization, true);
  return is_guest;
end
$$;
comment on function app.is_guest_of(uuid) is 'Whether the bound user is one of the guests of that company, as app.company_guests has them.';

revoke all on function app.company_guests(), app.is_guest_of(uuid) from public;
-- The functions of a policy are called by whoever reads the view.
grant execute on function app.company_guests() to breathmaster_api, breathmaster_boards;
grant execute on function app.is_guest_of(uuid) to breathmaster_api, breathmaster_owner;

-- As before, and remembers the domain.
create or replace function app.admit_member() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  entry record;
begin
  perform set_config('app.key_organization_id', new.organization_id::text, true);
  perform app.await_turn(new.organization_id, mailbox)
  from (select e.mailbox from app.email_claim e where e.uid = new.uid order by e.mailbox) as theirs;
  select d.directory_user_id, d.declined into entry
  from app.email_claim e
    join app.directory_user d on d.organization_id = new.organization_id and d.address = e.mailbox
  where e.uid = new.uid and d.active
  order by d.directory_user_id
  limit 1;
  if found then
    if new.role <> 'owner' then
      new.directory_user_id := coalesce(new.directory_user_id, entry.directory_user_id);
    end if;
    if entry.declined then
      update app.directory_user set declined = false
      where organization_id = new.organization_id and directory_user_id = entry.directory_user_id;
    end if;
  elsif exists (
    select from app.email_claim e
    where e.uid = new.uid
      and (
        exists (
          select from app.directory_user d where d.organization_id = new.organization_id and d.address = e.mailbox)
        or exists (
          select from app.directory_leaver l
          where l.organization_id = new.organization_id
            and l.digest = app.leaver_digest(new.organization_id, e.mailbox))
      )
  ) then
    raise exception 'the directory of that organization has ended this user''s membership' using errcode = 'BM404';
  end if;
  -- A domain that goes in this moment has gone before this looks, or finds whom to look for.
  perform pg_advisory_xact_lock_shared(hashtextextended('app.shown_domain ' || new.organization_id, 0));
  new.shown_domain := (
    select min(e.domain) from app.email_claim e
    where e.uid = new.uid and e.domain = any ((select app.provisioned_domains())::text[])
  );
  perform set_config('app.key_organization_id', outer_organization, true);
  return new;
end
$$;

create function app.forget_shown_domain() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
begin
  perform pg_advisory_xact_lock(hashtextextended('app.shown_domain ' || old.organization_id, 0));
  perform set_config('app.key_organization_id', old.organization_id::text, true);
  update app.member set shown_domain = null
  where organization_id = old.organization_id and shown_domain = old.domain;
  perform set_config('app.key_organization_id', outer_organization, true);
  return null;
end
$$;
set local role breathmaster_owner;
create trigger domain_claim_ended after delete on app.domain_claim
  for each row execute function app.forget_shown_domain();
set local role breathmaster_worker;
revoke all on function app.forget_shown_domain() from public;
set local role breathmaster_owner;

create function app.forget_shown_address() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_uid constant text := coalesce(current_setting('app.uid', true), '');
begin
  perform set_config('app.uid', old.uid::text, true);
  update app.member set shown_domain = null where uid = old.uid and shown_domain = old.domain;
  perform set_config('app.uid', outer_uid, true);
  return null;
end
$$;
create trigger email_claim_ended after delete on app.email_claim
  for each row execute function app.forget_shown_address();
revoke all on function app.forget_shown_address() from public;

-- Of those who are members already.
alter table app.member no force row level security;
alter table app.email_claim no force row level security;
alter table app.domain_claim no force row level security;
update app.member m set shown_domain = (
  select min(e.domain)
  from app.email_claim e join app.domain_claim d on d.organization_id = m.organization_id and d.domain = e.domain
  where e.uid = m.uid and d.proved_at is not null
)
where domain is null and directory_user_id is null;
alter table app.domain_claim force row level security;
alter table app.email_claim force row level security;
alter table app.member force row level security;

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
      and (coalesce(m.domain, m.shown_domain) is not null or m.directory_user_id is not null
        or not app.is_guest_of(m.organization_id))
  );
end
$$;
comment on function app.own_company_boards() is
  'The bound organization, if the bound user is a member now, and no guest, whose sign-in is recent enough, it has its board on and it is not closed.';

-- MARK: A week without a board

-- Between a week's closing and the last of its ranks its boards are still those of standings. Afterwards they are
-- history, and where a company has none of that week, nobody is there.
-- squawk-ignore require-concurrent-index-creation
create index season_unfinished on app.season (period) where finalised_at is null;
set local role breathmaster_boards;
create view board.week_without_history with (security_barrier) as
select w.period
from app.season w
where w.finalised_at is null
  and not exists (
    select from app.company_season c
    where c.organization_id = (select app.organization_id()) and c.period = w.period
  );
comment on view board.week_without_history is
  'The weeks that are closed, and whose ranks are still to be written, without the bound organization: it had its board off when they were closed. For the other boards alone.';
comment on view board.company is
  'weeklyMinutes, weeklyConsistency and teamChallengeParticipation of the members of the bound organization who agreed and are no guests, where it has its board on. Nobody, of a closed week without history.';
set local role breathmaster_owner;

alter policy company_standing_colleagues on app.company_standing
  using (organization_id = any ((select app.own_company_boards())::uuid[])
    and uid not in (select b.uid from board.blocked b) and uid not in (select unnest(app.company_guests()))
    and period not in (select w.period from board.week_without_history w));
alter policy company_season_rank_colleagues on app.company_season_rank
  using (shown and organization_id = any ((select app.own_company_boards())::uuid[])
    and uid not in (select b.uid from board.blocked b) and uid not in (select unnest(app.company_guests())));

comment on column app.company_season.people is
  'How many were ranked when it became final. Ranks and this stay as they are when people go, are hidden by a block, or are guests.';

grant select (leaderboard_enabled) on app.organization to breathmaster_worker;
set local role breathmaster_worker;
-- As before, and a team's board is as the company's is: without guests, and without a week that has no history.
create or replace function app.teams_on_board(week text, asked uuid default null) returns table (team_id uuid, name text, uids uuid[])
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  company constant uuid := (app.own_company_boards())[1];
  is_closed constant boolean := exists (select from app.season where period = week);
  is_final constant boolean := exists (select from app.season where period = week and finalised_at is not null);
  unseen constant uuid[] := app.uids_behind_blocks() || app.company_guests();
begin
  if company is null then
    return;
  end if;
  perform set_config('app.tending', 'infinity', true), set_config('app.closing_season', week, true);
  return query
    with belonging as (
      select m.team_id, m.uid from app.team_member m
      where m.organization_id = company and (asked is null or m.team_id = asked)
      union all
      select g.directory_group_id, m.uid
      from app.directory_group_member g
        join app.member m on m.organization_id = g.organization_id and m.directory_user_id = g.directory_user_id
      where g.organization_id = company and (asked is null or g.directory_group_id = asked)
    ), on_board as (
      select s.uid from app.company_standing s
      where not is_final and s.organization_id = company and s.period = week
        and (not is_closed or exists (
          select from app.company_season c where c.organization_id = company and c.period = week
        ))
      union all
      select r.uid from app.company_season_rank r
      where is_final and r.organization_id = company and r.period = week and r.metric = 'weekly_consistency' and r.shown
    ), large as (
      select b.team_id, array_agg(b.uid) as uids
      from belonging b join on_board s on s.uid = b.uid
      where b.uid <> all (unseen)
      group by b.team_id
      having count(*) >= 5
    )
    select l.team_id, coalesce(t.name, g.display_name), l.uids
    from large l
      left join app.team t on t.organization_id = company and t.team_id = l.team_id
      left join app.directory_group g on g.organization_id = company and g.directory_group_id = l.team_id;
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
end
$$;

-- As before, and who is on no board shows the company nothing.
create or replace function app.organization_numbers(of_organization uuid, week text, at timestamptz,
  out owners bigint, out admins bigint, out analysts bigint, out members bigint, out invitations bigint, out active integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  guests constant uuid[] := app.company_guests();
begin
  perform set_config('app.tending', at::text, true), set_config('app.closing_season', 'none', true);
  select count(*) filter (where role = 'owner'), count(*) filter (where role = 'admin'),
    count(*) filter (where role = 'analyst'), count(*) filter (where role = 'member')
  into owners, admins, analysts, members
  from app.member where organization_id = of_organization;
  select count(*) into invitations from app.invitation where organization_id = of_organization and good_until > at;
  -- In steps of five and never under five: one person who comes, goes or practises is not to be read from it.
  select nullif(count(*) / 5 * 5, 0) into active
  from app.company_standing
  where organization_id = of_organization and period = week and weekly_minutes > 0 and uid <> all (guests);
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
end
$$;

-- As before, and a company whose board is off by then has no history of the week: nobody expected to be shown.
create or replace function app.close_seasons(weeks text[], at timestamptz) returns setof text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  week text;
  early constant text[] := array(
    select given from unnest(weeks) as given
    where (to_date(given, 'IYYY-"W"IW') + 7 + time '18:00') at time zone 'UTC' + interval '72 hours' > at
  );
begin
  if early <> '{}' then
    raise exception 'not over yet, and 72 hours later: %', array_to_string(early, ', ')
      using errcode = 'invalid_parameter_value';
  end if;
  if exists (select unnest(weeks) except select period from app.season) then
    -- Waits for the syncs that are under way, and the next ones wait for this.
    perform pg_advisory_xact_lock(hashtextextended('app.season', 0));
    -- Whether a board is on, of every company.
    perform set_config('app.tending', 'infinity', true);
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
      where (
        select uid from app.global_standing where period = week order by weekly_xp desc, weekly_xp_at, uid limit 1
      ) is not null;
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
        join app.organization o using (organization_id)
        cross join unnest(array['weekly_minutes', 'weekly_consistency', 'team_challenge_participation']) as metric
      where o.leaderboard_enabled;
      update app.season set finalised_at = at
      where period = week
        and not exists (select from app.global_season where period = week)
        and not exists (select from app.company_season where period = week);
    end loop;
    perform set_config('app.closing_season', '', true), set_config('app.tending', '', true);
  end if;
  return query select period from app.season where period = any (weeks) and finalised_at is null order by period;
end
$$;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
