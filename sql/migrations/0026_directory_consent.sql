-- Whom a directory has put into a company belongs to it, and is seen there once they have looked at what
-- would be seen of them and agreed, as others do who join by themselves.

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
    'role', case when door.good_until > at then door.role else 'member' end,
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
  invited app.invitation;
  by_domain text;
begin
  perform set_config('app.organization_id', joined::text, true);
  if exists (select from app.member where organization_id = joined and uid = me and agreed_at is not null) then
    return;
  end if;
  if agreed is distinct from agreement then
    raise exception 'agreed to something else' using errcode = 'BM409', constraint = 'agreement_stale';
  end if;
  update app.member set agreed_at = origin.happened_at
  where organization_id = joined and uid = me and agreed_at is null;
  if found then
    perform app.record_organization_event(joined, 'member.agreed', 'user:' || me, null, null, origin);
    return;
  end if;
  delete from app.invitation
  where organization_id = joined and lower(address) = any (app.own_addresses()) and good_until > origin.happened_at
  returning * into invited;
  if invited.invitation_id is null then
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
  values (joined, me, coalesce(invited.role, 'member'), origin.happened_at, by_domain)
  on conflict do nothing;
  if found then
    perform app.record_organization_event(joined, 'member.joined', 'user:' || me, null,
      jsonb_build_object('role', coalesce(invited.role, 'member'),
        'by', coalesce('invitation:' || invited.invitation_id, 'domain:' || by_domain)), origin);
  end if;
end
$$;
