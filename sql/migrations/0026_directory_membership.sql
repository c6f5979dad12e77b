-- Where a company's directory and what the company does by itself meet.

-- Whom a directory has put in belongs to the company, and is seen there once they have looked at what would be
-- seen of them and agreed, as others do who join by themselves. By its admins too: whose account an address is,
-- is nobody's to know before.
grant select (agreed_at) on app.member to breathmaster_boards;
set local role breathmaster_boards;
create or replace view board.member with (security_barrier) as
select m.organization_id, m.uid, u.display_name, u.avatar_url, m.role, m.joined_at
from app.member m
  join app.user u on u.uid = m.uid
where m.agreed_at is not null;
comment on view board.member is
  'The members of each organization whose members the bound user may list: the name that each chose to be seen by, role and since when. Not those whom a directory has put in and who have not agreed.';
set local role breathmaster_owner;

create or replace function app.joining_preview(of_organization uuid, at timestamptz) returns jsonb
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  door record;
  me app.user;
  on_board boolean;
begin
  select * into door from board.suggestion s
  where s.organization_id = of_organization
    and (s.good_until > at or (s.domain is not null and (s.automatic_joining
      or exists (select from app.member m where m.organization_id = of_organization and m.uid = app.uid() and m.agreed_at is null))));
  if not found then
    raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
  end if;
  select * into me from app.user where uid = app.uid();
  on_board := door.leaderboard_enabled and app.is_on_company_boards(me);
  return jsonb_build_object(
    'organizationId', of_organization,
    'name', door.name,
    'role', case when door.good_until > at then door.role
      else coalesce((select m.role from app.member m where m.organization_id = of_organization and m.uid = app.uid()), 'member') end,
    'adminsSee', jsonb_build_object('displayName', me.display_name, 'avatarUrl', me.avatar_url),
    'boardEnabled', door.leaderboard_enabled,
    'colleaguesSee', case when on_board then jsonb_build_object('displayName', me.display_name, 'avatarUrl', me.avatar_url,
      'realName', case when door.show_real_names and me.show_real_name then me.real_name end,
      'metrics', jsonb_build_array('weeklyMinutes', 'weeklyConsistency', 'teamChallengeParticipation')) end);
end
$$;

create or replace function app.join_organization(joined uuid, agreed text, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  agreement constant text := app.joining_agreement(joined, origin.happened_at);
  invitation uuid;
  given text;
  by_domain text;
begin
  perform set_config('app.organization_id', joined::text, true);
  if exists (select from app.member where organization_id = joined and uid = me and agreed_at is not null) then
    return;
  end if;
  if agreed is distinct from agreement then
    raise exception 'agreed to something else' using errcode = 'BM409', constraint = 'agreement_stale';
  end if;
  -- The one that the preview has shown; with it the others are spent, of other addresses of theirs.
  select i.invitation_id, i.role into invitation, given from board.suggestion i
  where i.organization_id = joined and i.good_until > origin.happened_at;
  with spent as (
    delete from app.invitation where organization_id = joined and lower(address) = any (app.own_addresses())
    returning invitation_id
  )
  select s.invitation_id, case when s.invitation_id is not null then given end into invitation, given
  from (values (1)) as one left join spent s on s.invitation_id = invitation;
  update app.member set agreed_at = origin.happened_at, role = coalesce(given, role)
  where organization_id = joined and uid = me and agreed_at is null;
  if found then
    perform app.record_organization_event(joined, 'member.agreed', 'user:' || me, null,
      jsonb_build_object('by', 'invitation:' || invitation), origin);
    return;
  end if;
  if invitation is null then
    -- A domain that lapses in this moment has lapsed before this looks.
    select d.domain into by_domain
    from app.domain_claim d join app.organization o on o.organization_id = d.organization_id
    where d.organization_id = joined and d.domain = any (app.own_domains()) and d.proved_at is not null and o.automatic_joining
    order by d.domain limit 1
    for key share of d;
    if not found then
      raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
    end if;
  end if;
  insert into app.member (organization_id, uid, role, joined_at, domain)
  values (joined, me, coalesce(given, 'member'), origin.happened_at, by_domain)
  on conflict do nothing;
  if found then
    perform app.record_organization_event(joined, 'member.joined', 'user:' || me, null,
      jsonb_build_object('role', coalesce(given, 'member'),
        'by', coalesce('invitation:' || invitation, 'domain:' || by_domain)), origin);
  end if;
end
$$;

grant create on schema app to breathmaster_worker;
set local role breathmaster_worker;
create or replace function app.end_memberships_by(of_organization uuid, held_domain text, at timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  ended integer;
begin
  perform set_config('app.tending', at::text, true);
  -- An owner stays: somebody has to be there to prove it again.
  update app.member set domain = null
  where organization_id = of_organization and domain = held_domain and role = 'owner';
  -- Not by the people themselves: the directory brings them back with the domain.
  perform set_config('app.key_organization_id', of_organization::text, true);
  delete from app.member where organization_id = of_organization and domain = held_domain;
  get diagnostics ended = row_count;
  perform set_config('app.key_organization_id', '', true), set_config('app.tending', '', true);
  return ended;
end
$$;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker;
