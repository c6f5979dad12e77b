-- Domains, proved: by a record that only who holds the domain can make, looked for again
-- every day. What hangs on a domain ends with it.
--
-- The server looks records up and tells what it saw; whether that proves anything is for
-- the functions here to say.

alter table app.domain_claim
  add column token text constraint domain_claim_token_invalid check (token ~ '^[a-z2-7]{26}$'),
  add column claimed_at timestamptz not null default now(),
  add column checked_at timestamptz,
  add column due_at timestamptz,
  add column lost_at timestamptz
    constraint domain_claim_lost_was_proved check (lost_at is null or proved_at is not null);
comment on column app.domain_claim.token is
  'What the record has to say. No secret: it is for the world to see. Null where the operator vouches for the domain.';
comment on column app.domain_claim.checked_at is 'When the record was last looked for, and the domain''s servers answered.';
comment on column app.domain_claim.due_at is 'When a job looks for it next. The job that looks moves this forward.';
comment on column app.domain_claim.lost_at is 'Since when the record is missing. After seven days the claim is gone.';

-- A claim is a wish: many may have it, or whoever wished first could keep out the one
-- whose domain it is. A proof is one company's.
-- squawk-ignore ban-drop-constraint
alter table app.domain_claim drop constraint domain_claim_taken;
-- squawk-ignore require-concurrent-index-creation
create unique index domain_claim_taken on app.domain_claim (domain) where proved_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index domain_claim_due on app.domain_claim (due_at) where due_at is not null;

alter table app.member add column domain text;
comment on column app.member.domain is
  'The proved domain by which they joined: the membership ends with it. Null for those whom the company has for another reason.';

-- Those who are members joined by an address in a domain, but for the first owners. Row
-- security would show the owner of the tables nobody here, so it holds it not for a moment.
alter table app.member no force row level security;
alter table app.email_claim no force row level security;
alter table app.domain_claim no force row level security;
update app.member m set domain = (
  select min(d.domain) from app.email_claim e join app.domain_claim d on d.domain = e.domain
  where e.uid = m.uid and d.organization_id = m.organization_id and d.proved_at is not null
)
where m.role <> 'owner';
alter table app.member force row level security;
alter table app.email_claim force row level security;
alter table app.domain_claim force row level security;

-- What a job sees and does: claims that are due, and an end to what hangs on one.
create policy domain_claim_tended on app.domain_claim to breathmaster_worker
  using (claimed_at <= (select app.tending())) with check (claimed_at <= (select app.tending()));
grant select (organization_id, domain, proved_at, claimed_at, due_at), update (due_at), delete on app.domain_claim
  to breathmaster_worker;
create policy member_tended on app.member to breathmaster_worker
  using (organization_id = (select app.tended_organization_id()))
  with check (organization_id = (select app.tended_organization_id()));
grant select (organization_id, uid, role, domain), update (domain), delete on app.member to breathmaster_worker;

create function app.end_memberships_by(of_organization uuid, held_domain text, at timestamptz) returns integer
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
  delete from app.member where organization_id = of_organization and domain = held_domain;
  get diagnostics ended = row_count;
  perform set_config('app.tending', '', true);
  return ended;
end
$$;
comment on function app.end_memberships_by(uuid, text, timestamptz) is
  'Ends the memberships of the bound organization that hang on a domain: how many. An owner''s no longer hangs on it.';
revoke all on function app.end_memberships_by(uuid, text, timestamptz) from public;

create function app.domains_to_check(at timestamptz, most integer) returns table (organization_id uuid, domain text)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.tending', at::text, true);
  delete from app.domain_claim c where c.proved_at is null and c.claimed_at <= at - interval '30 days';
  return query
    update app.domain_claim c
    set due_at = at + interval '15 minutes'
    from (
      select d.organization_id, d.domain from app.domain_claim d
      where d.due_at <= at
      order by d.due_at
      limit most
      for update skip locked
    ) as due
    where c.organization_id = due.organization_id and c.domain = due.domain
    returning c.organization_id, c.domain;
  perform set_config('app.tending', '', true);
end
$$;
comment on function app.domains_to_check(timestamptz, integer) is
  'Proved domains whose record is to be looked for, which nobody else is given for a quarter of an hour. Claims that were not proved for thirty days are gone.';
revoke all on function app.domains_to_check(timestamptz, integer) from public;

grant create on schema app to breathmaster_worker;
alter function app.end_memberships_by(uuid, text, timestamptz) owner to breathmaster_worker;
alter function app.domains_to_check(timestamptz, integer) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.end_memberships_by(uuid, text, timestamptz) to breathmaster_owner;
grant execute on function app.domains_to_check(timestamptz, integer) to breathmaster_api;
set local role breathmaster_owner;

create function app.claim_domain(of_organization uuid, wanted text, new_token text, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.begin_change(of_organization, 'domains.manage');
  if exists (select from app.domain_claim where organization_id = of_organization and domain = wanted) then
    return;
  end if;
  if (select count(*) from app.domain_claim where organization_id = of_organization) >= 50 then
    raise exception 'no room for another domain' using errcode = 'BM409', constraint = 'domain_limit_reached';
  end if;
  insert into app.domain_claim (organization_id, domain, token, claimed_at)
  values (of_organization, wanted, new_token, origin.happened_at);
  perform app.record_organization_event(of_organization, 'domain.claimed', 'domain:' || wanted, null, null, origin);
end
$$;
comment on function app.claim_domain(uuid, text, text, app.origin) is
  'Says what the domain''s record has to say. It answers the same whoever holds the domain; one that is claimed already keeps its token. BM409 with fifty.';

create function app.prove_domain(of_organization uuid, claimed text, seen text[], origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  claim app.domain_claim;
begin
  perform app.begin_change(of_organization, 'domains.manage');
  select * into claim from app.domain_claim where organization_id = of_organization and domain = claimed;
  if not found then
    raise exception 'no such claim' using errcode = 'BM404';
  end if;
  if claim.token = any (seen) then
    update app.domain_claim
    set proved_at = coalesce(proved_at, origin.happened_at), lost_at = null, checked_at = origin.happened_at,
      due_at = origin.happened_at + interval '1 day'
    where organization_id = of_organization and domain = claimed;
    if claim.proved_at is null then
      perform app.record_organization_event(of_organization, 'domain.proved', 'domain:' || claimed, null, null, origin);
    elsif claim.lost_at is not null then
      perform app.record_organization_event(of_organization, 'domain.found', 'domain:' || claimed, null, null, origin);
    end if;
    return true;
  end if;
  -- One that is proved is given its days by the job, and not ended by a look in between.
  if claim.proved_at is null then
    update app.domain_claim set checked_at = origin.happened_at
    where organization_id = of_organization and domain = claimed;
  end if;
  return claim.token is null;
end
$$;
comment on function app.prove_domain(uuid, text, text[], app.origin) is
  'Whether the tokens that were seen at the domain prove the claim. Raises domain_claim_taken where another company''s proof still stands.';

create function app.release_domain(of_organization uuid, held text, origin app.origin) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  claim app.domain_claim;
  ended integer;
begin
  perform app.begin_change(of_organization, 'domains.manage');
  delete from app.domain_claim where organization_id = of_organization and domain = held returning * into claim;
  if not found then
    return false;
  end if;
  ended := app.end_memberships_by(of_organization, held, origin.happened_at);
  perform app.record_organization_event(of_organization, 'domain.released', 'domain:' || held,
    jsonb_build_object('provedAt', claim.proved_at), jsonb_build_object('membershipsEnded', ended), origin);
  return true;
end
$$;
comment on function app.release_domain(uuid, text, app.origin) is
  'Gives a domain back, and with it the memberships that hang on it: whether there was a claim. Whoever claims it next, this company too, begins anew.';

-- The job's, for one claim. Nulls for what was seen mean that nobody answered, which is no
-- fault of the company: it is asked again within the hour.
create function app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  claim app.domain_claim;
  ended integer;
begin
  perform app.bind_organization(of_organization);
  select * into claim from app.domain_claim
  where organization_id = of_organization and domain = held and proved_at is not null and token is not null;
  if not found then
    return 'gone';
  end if;
  if seen is null then
    update app.domain_claim set due_at = origin.happened_at + interval '1 hour'
    where organization_id = of_organization and domain = held;
    return 'unanswered';
  end if;
  if claim.token = any (seen) then
    update app.domain_claim
    set checked_at = origin.happened_at, due_at = origin.happened_at + interval '1 day', lost_at = null
    where organization_id = of_organization and domain = held;
    if claim.lost_at is not null then
      perform app.record_organization_event(of_organization, 'domain.found', 'domain:' || held, null, null, origin, 'system');
    end if;
    return 'proved';
  end if;
  if claim.lost_at <= origin.happened_at - interval '7 days' then
    delete from app.domain_claim where organization_id = of_organization and domain = held;
    ended := app.end_memberships_by(of_organization, held, origin.happened_at);
    perform app.record_organization_event(of_organization, 'domain.lapsed', 'domain:' || held,
      jsonb_build_object('provedAt', claim.proved_at, 'lostAt', claim.lost_at),
      jsonb_build_object('membershipsEnded', ended), origin, 'system');
    return 'lapsed';
  end if;
  update app.domain_claim
  set checked_at = origin.happened_at, due_at = origin.happened_at + interval '1 day',
    lost_at = coalesce(claim.lost_at, origin.happened_at)
  where organization_id = of_organization and domain = held;
  if claim.lost_at is null then
    perform app.record_organization_event(of_organization, 'domain.lost', 'domain:' || held, null,
      jsonb_build_object('lapsesAt', origin.happened_at + interval '7 days'), origin, 'system');
  end if;
  return 'lost';
end
$$;
comment on function app.recheck_domain(uuid, text, text[], app.origin) is
  'What became of a proved claim: proved, lost for less than seven days, lapsed with the memberships that hang on it, unanswered, or gone meanwhile.';

revoke all on function app.claim_domain(uuid, text, text, app.origin), app.prove_domain(uuid, text, text[], app.origin),
  app.release_domain(uuid, text, app.origin), app.recheck_domain(uuid, text, text[], app.origin) from public;
grant execute on function app.claim_domain(uuid, text, text, app.origin), app.prove_domain(uuid, text, text[], app.origin),
  app.release_domain(uuid, text, app.origin), app.recheck_domain(uuid, text, text[], app.origin) to breathmaster_api;

-- As before, and remembers by which domain.
create or replace function app.join_organization(joined uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  by_domain text;
begin
  perform app.uid(), set_config('app.organization_id', joined::text, true);
  -- A domain that lapses in this moment has lapsed before this looks.
  select d.domain into by_domain
  from app.email_claim e
    join app.domain_claim d on d.domain = e.domain
  where e.uid = (select app.uid())
    and d.organization_id = (select app.organization_id())
    and d.proved_at is not null
  order by d.domain limit 1
  for key share of d;
  if not found then
    raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
  end if;
  insert into app.member (organization_id, uid, role, joined_at, domain)
  values (joined, (select app.uid()), 'member', origin.happened_at, by_domain)
  on conflict do nothing;
  if found then
    perform app.record_organization_event(joined, 'member.joined', 'user:' || app.uid(), null,
      jsonb_build_object('role', 'member', 'by', 'domain:' || by_domain), origin);
  end if;
end
$$;
