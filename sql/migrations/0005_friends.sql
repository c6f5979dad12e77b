-- Friends: one row for the pair, shown to both sides and to nobody else.

create table app.friendship (
  uid uuid not null references app.user (uid) on delete cascade,
  friend_uid uuid not null constraint friendship_friend_uid_across references app.user (uid) on delete cascade,
  asked_by uuid not null,
  asked_at timestamptz not null default now(),
  accepted_at timestamptz,
  primary key (uid, friend_uid),
  constraint friendship_in_order check (uid < friend_uid),
  constraint friendship_asked_by_one_of_them check (asked_by in (uid, friend_uid))
);
comment on table app.friendship is 'A pair of people, the smaller uid first. It exists once asked, and counts once accepted.';
create index friendship_by_friend on app.friendship (friend_uid);

alter table app.friendship enable row level security;
alter table app.friendship force row level security;
create policy friendship_of_either on app.friendship to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid()) or friend_uid = (select app.uid()))
  with check (uid = (select app.uid()) or friend_uid = (select app.uid()));
grant select, delete on app.friendship to breathmaster_api;

-- Reads another person's row, so it belongs to the role whose grants name the column.
create function app.accepts_friend_requests(asked uuid) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce((select allow_friend_requests from app.user where uid = asked), false);
$$;
comment on function app.accepts_friend_requests(uuid) is 'False as well for someone who does not exist: the two must look alike.';
revoke all on function app.accepts_friend_requests(uuid) from public;
grant create on schema app to breathmaster_boards;
alter function app.accepts_friend_requests(uuid) owner to breathmaster_boards;
revoke create on schema app from breathmaster_boards;
-- A change of owner folds the old owner's privileges into the new one's, so the
-- grant back comes after it, from the new owner.
set local role breathmaster_boards;
grant execute on function app.accepts_friend_requests(uuid) to breathmaster_owner;
set local role breathmaster_owner;

-- Says "I would like us to be friends". The first to say it asks; the second accepts.
create function app.befriend(other uuid) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  pair app.friendship;
begin
  if other = me then
    raise exception 'nobody is their own friend' using errcode = 'BM422';
  end if;
  select * into pair from app.friendship
  where uid = least(me, other) and friend_uid = greatest(me, other)
  for update;
  if not found then
    if not app.accepts_friend_requests(other) then
      raise exception 'nobody there to ask' using errcode = 'BM404';
    end if;
    insert into app.friendship (uid, friend_uid, asked_by)
    values (least(me, other), greatest(me, other), me)
    on conflict (uid, friend_uid) do update
      -- Both asked in the same moment: that is a yes from each.
      set accepted_at = case when friendship.asked_by <> me then coalesce(friendship.accepted_at, now()) else friendship.accepted_at end
    returning * into pair;
  elsif pair.accepted_at is null and pair.asked_by <> me then
    update app.friendship set accepted_at = now()
    where uid = pair.uid and friend_uid = pair.friend_uid
    returning * into pair;
  end if;
  return case when pair.accepted_at is null then 'requested' else 'friends' end;
end
$$;
comment on function app.befriend(uuid) is 'Answers requested or friends. BM404 where the other takes no requests or does not exist, BM422 for oneself.';
revoke all on function app.befriend(uuid) from public;
grant execute on function app.befriend(uuid) to breathmaster_api;

create function app.circle() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select array_agg(uid) || (select app.uid())
  from (
    select friend_uid as uid from app.friendship
    where uid = (select app.uid()) and accepted_at is not null
    union all
    select uid from app.friendship
    where friend_uid = (select app.uid()) and accepted_at is not null
  ) as friend;
$$;
comment on function app.circle() is 'The bound user and their friends: whom a friends board may speak of.';
revoke all on function app.circle() from public;
-- A view lends its owner's rights on tables, not on functions: who reads the
-- board needs this one too. It tells nobody more than their own friends.
grant execute on function app.circle() to breathmaster_boards, breathmaster_api;
