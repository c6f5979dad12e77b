-- Two accounts of one person become one.
--
-- The one that ends asks, and gets a code. The one that stays, wherever it is signed in,
-- names the code, looks at what would come of it, and agrees. Then the one that ends looks
-- too, and confirms. So both have said yes, each by its own sign-in, and nobody's account
-- is taken by a credential that came to somebody else.

create table app.account_merge (
  uid uuid primary key references app.user (uid) on delete cascade,
  code_digest bytea not null check (octet_length(code_digest) = 32),
  opened_at timestamptz not null,
  good_until timestamptz not null,
  into_uid uuid,
  agreed_at timestamptz,
  confirmed_at timestamptz,
  constraint account_merge_code_taken unique (code_digest),
  constraint account_merge_into_uid_across foreign key (into_uid) references app.user (uid) on delete cascade,
  constraint account_merge_of_two check (into_uid <> uid),
  constraint account_merge_agreed check ((into_uid is null) = (agreed_at is null))
);
comment on table app.account_merge is 'An account that is to end in another one of the same person, for as long as its code is good.';
comment on column app.account_merge.code_digest is 'Keyed, of the code that the account that stays names.';
comment on column app.account_merge.into_uid is 'The account that stays, once it has agreed.';
comment on column app.account_merge.confirmed_at is 'The word of the account that ends, which is the last.';
create index account_merge_into on app.account_merge (into_uid);

alter table app.account_merge enable row level security;
alter table app.account_merge force row level security;
create policy account_merge_of_either on app.account_merge to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid()) or into_uid = (select app.uid())) with check (uid = (select app.uid()));
create policy account_merge_delivering on app.account_merge to breathmaster_worker
  using (opened_at <= (select app.delivering())) with check (opened_at <= (select app.delivering()));
grant select (uid, into_uid, good_until, agreed_at), delete on app.account_merge to breathmaster_api;
grant select, delete, update (into_uid, agreed_at) on app.account_merge to breathmaster_worker;

create function app.account_that_goes(digest bytea, asked_by uuid, at timestamptz) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  goes uuid;
begin
  perform set_config('app.delivering', at::text, true);
  select uid into goes from app.account_merge
  where code_digest = digest and good_until > at and uid <> asked_by and coalesce(into_uid, asked_by) = asked_by;
  perform set_config('app.delivering', '', true);
  return goes;
end
$$;
comment on function app.account_that_goes(bytea, uuid, timestamptz) is
  'Which account shows a code to another one: to any until one has agreed, and to that one from then on. For other functions alone.';
revoke all on function app.account_that_goes(bytea, uuid, timestamptz) from public;

create function app.forget_account_merges(at timestamptz) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.account_merge where good_until <= at;
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.forget_account_merges(timestamptz) is 'Codes that are over are nobody''s any more.';
revoke all on function app.forget_account_merges(timestamptz) from public;

create function app.settle_account_merge(digest bytea, stays uuid, at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  is_settled boolean;
begin
  perform set_config('app.delivering', at::text, true);
  -- The first who agrees is the one, so that a code that was seen by somebody else changes nothing any more.
  update app.account_merge set (into_uid, agreed_at) = (stays, coalesce(agreed_at, at))
  where code_digest = digest and good_until > at and uid <> stays and coalesce(into_uid, stays) = stays;
  is_settled := found;
  perform set_config('app.delivering', '', true);
  return is_settled;
end
$$;
comment on function app.settle_account_merge(bytea, uuid, timestamptz) is
  'Whether the account that stays is that one now. Not where the code is nobody''s or its own, or another one has agreed.';
revoke all on function app.settle_account_merge(bytea, uuid, timestamptz) from public;

grant create on schema app to breathmaster_worker;
alter function app.account_that_goes(bytea, uuid, timestamptz) owner to breathmaster_worker;
alter function app.forget_account_merges(timestamptz) owner to breathmaster_worker;
alter function app.settle_account_merge(bytea, uuid, timestamptz) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.account_that_goes(bytea, uuid, timestamptz) to breathmaster_owner;
grant execute on function app.forget_account_merges(timestamptz) to breathmaster_owner;
grant execute on function app.settle_account_merge(bytea, uuid, timestamptz) to breathmaster_owner;
set local role breathmaster_owner;

create function app.open_account_merge(digest bytea, at timestamptz, until timestamptz) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.forget_account_merges(at);
  insert into app.account_merge (uid, code_digest, opened_at, good_until) values (app.uid(), digest, at, until)
  on conflict (uid) do update set (code_digest, opened_at, good_until, into_uid, agreed_at, confirmed_at)
    = (excluded.code_digest, excluded.opened_at, excluded.good_until, null, null, null);
end
$$;
comment on function app.open_account_merge(bytea, timestamptz, timestamptz) is
  'The bound user''s account is to end in another one. What was asked before is over.';
revoke all on function app.open_account_merge(bytea, timestamptz, timestamptz) from public;
grant execute on function app.open_account_merge(bytea, timestamptz, timestamptz) to breathmaster_api;

create function app.agree_to_account_merge(digest bytea, at timestamptz) returns boolean
  language sql security definer
  set search_path = pg_catalog, pg_temp
as $$
  select app.settle_account_merge(digest, app.uid(), at);
$$;
comment on function app.agree_to_account_merge(bytea, timestamptz) is
  'The bound user''s account is the one that stays. False where the code is nobody''s, one''s own, or agreed to by somebody else.';
revoke all on function app.agree_to_account_merge(bytea, timestamptz) from public;
grant execute on function app.agree_to_account_merge(bytea, timestamptz) to breathmaster_api;

create function app.confirm_account_merge(stays uuid, at timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update app.account_merge set confirmed_at = at
  where uid = (select app.uid()) and into_uid = stays and good_until > at;
  return found;
end
$$;
comment on function app.confirm_account_merge(uuid, timestamptz) is
  'The bound user''s account ends in that one. False where that one has not agreed, or no longer.';
revoke all on function app.confirm_account_merge(uuid, timestamptz) from public;
grant execute on function app.confirm_account_merge(uuid, timestamptz) to breathmaster_api;

-- To look at what both have, a transaction goes over from one to the other.
create function app.enter_account_that_goes(digest bytea, at timestamptz) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  entered constant uuid := app.account_that_goes(digest, app.uid(), at);
begin
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;
comment on function app.enter_account_that_goes(bytea, timestamptz) is
  'The user to whom the transaction is bound from now on, who gave the code to the one who was bound; null, and nobody, where it is nobody else''s.';
revoke all on function app.enter_account_that_goes(bytea, timestamptz) from public;
grant execute on function app.enter_account_that_goes(bytea, timestamptz) to breathmaster_api;

create function app.enter_account_that_stays(at timestamptz) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  entered uuid;
begin
  select into_uid into entered from app.account_merge where uid = (select app.uid()) and good_until > at;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;
comment on function app.enter_account_that_stays(timestamptz) is
  'The user to whom the transaction is bound from now on, who has agreed to take over what the one who was bound has; null, and nobody, where nobody has.';
revoke all on function app.enter_account_that_stays(timestamptz) from public;
grant execute on function app.enter_account_that_stays(timestamptz) to breathmaster_api;

-- What was practised goes over, and so does who isn't to be seen. What lets somebody in, such as
-- an address, is free afterwards, and whose it is takes it into the account that stays by
-- themself: a yes to a merge that was talked out of somebody must not let anybody in. Who was
-- a friend asks to be one, since what a friend sees now is of an account that never said yes.
create function app.take_over_account(goes uuid, origin app.origin) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  stays constant uuid := app.uid();
  old_epoch integer;
  new_epoch integer := (select epoch from app.game_state where uid = stays);
  horizon date;
  devices app.device[];
  sessions app.session[];
  appeals app.session_appeal[];
  decisions app.appeal_decision[];
  batches app.sync_batch[];
  friends uuid[];
  blocked uuid[];
  other uuid;
begin
  perform from app.account_merge
  where uid = goes and into_uid = stays and confirmed_at is not null and good_until > origin.happened_at
  for update;
  if not found then
    raise exception 'both have not said yes' using errcode = 'BM404';
  end if;

  -- As the one that goes: everything is taken along, and the account ends.
  perform set_config('app.uid', goes::text, true);
  perform from app.user where uid = goes for update;
  select epoch, detail_from into old_epoch, horizon from app.game_state where uid = goes;
  devices := array(select d from app.device d where d.uid = goes);
  sessions := array(select s from app.session s where s.uid = goes);
  appeals := array(select a from app.session_appeal a where a.uid = goes);
  decisions := array(select d from app.appeal_decision d where d.uid = goes);
  batches := array(select b from app.sync_batch b where b.uid = goes and b.epoch = old_epoch);
  friends := array(
    select case when f.uid = goes then f.friend_uid else f.uid end from app.friendship f
    where goes in (f.uid, f.friend_uid) and f.accepted_at is not null and stays not in (f.uid, f.friend_uid));
  blocked := array(select b.blocked_uid from app.block b where b.uid = goes and b.blocked_uid <> stays);
  for other in select organization_id from app.member where uid = goes loop
    perform app.end_membership(other, goes, origin);
  end loop;
  perform app.forget_password_resets(array(select c.address from app.email_claim c where c.uid = goes));
  delete from app.user where uid = goes;

  -- As the one that stays, in the later of the two epochs. What it has already, it keeps.
  perform set_config('app.uid', stays::text, true), set_config('app.organization_id', '', true);
  update app.sync_batch set epoch = greatest(old_epoch, new_epoch) where uid = stays and epoch = new_epoch;
  new_epoch := greatest(old_epoch, new_epoch);
  update app.game_state set detail_from = greatest(detail_from, horizon) where uid = stays;
  insert into app.device
  select r.* from unnest(devices) as d
    cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays, 'family', null)) as r
  on conflict do nothing;
  -- What was cleared there is of an epoch before the first, so that it is known when a device brings it again.
  insert into app.session
  select r.* from unnest(sessions) as s
    cross join lateral jsonb_populate_record(s, jsonb_build_object(
      'uid', stays, 'epoch', case when s.epoch = old_epoch then new_epoch else 0 end)) as r
  on conflict (uid, device_id, session_id, started_at) do update set pardoned = session.pardoned or excluded.pardoned;
  insert into app.session_appeal
  select r.* from unnest(appeals) as a cross join lateral jsonb_populate_record(a, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  insert into app.appeal_decision
  select r.* from unnest(decisions) as d cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  -- By what its devices were handed their next claims are measured; nothing is answered the same again.
  insert into app.sync_batch
  select r.* from unnest(batches) as b
    cross join lateral jsonb_populate_record(b, jsonb_build_object(
      'uid', stays, 'batch_id', gen_random_uuid(), 'epoch', new_epoch, 'answer', null)) as r;
  foreach other in array blocked loop
    perform app.block_person(other);
  end loop;
  insert into app.friendship (uid, friend_uid, asked_by, asked_at)
  select least(stays, them), greatest(stays, them), them, origin.happened_at from unnest(friends) as f (them)
  where not exists (select from app.block b where them in (b.uid, b.blocked_uid))
  limit greatest(0, 100 - (select count(*) from app.friendship where accepted_at is null and asked_by <> stays))
  on conflict do nothing;
end
$$;
comment on function app.take_over_account(uuid, app.origin) is
  'Ends an account that is to end in the bound user''s, and gives that what was practised there: devices, sessions, appeals; and its blocks. What it adds up to is for the server to write, in the same transaction. Raises BM404 where both have not said yes, and last_owner where a company would be without one.';
revoke all on function app.take_over_account(uuid, app.origin) from public;
grant execute on function app.take_over_account(uuid, app.origin) to breathmaster_api;
