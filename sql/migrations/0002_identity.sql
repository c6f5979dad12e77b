-- Identity: who is asking, and what a person says about themself.

-- The principal of the current transaction. Set by app.bind (or app.register),
-- and only for the transaction: afterwards the setting reads '' on a pooled
-- connection, which is the same as never bound.
create function app.uid() returns uuid
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
declare
  bound constant text := current_setting('app.uid', true);
begin
  if bound is null or bound = '' then
    raise exception 'no principal is bound to this transaction'
      using errcode = 'insufficient_privilege', hint = 'call app.bind first';
  end if;
  return bound::uuid;
end
$$;
comment on function app.uid() is 'The bound user. Raises 42501 when nothing is bound: unbound means an error, never an empty answer.';

create function app.organization_id() returns uuid
  language plpgsql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.uid();
  return nullif(current_setting('app.organization_id', true), '')::uuid;
end
$$;
comment on function app.organization_id() is 'The bound organization, null for a person acting for themself. Raises 42501 when nothing is bound.';

create table app.user (
  uid uuid primary key,
  display_name text
    constraint user_display_name_invalid
      check (char_length(display_name) between 1 and 40 and display_name is normalized
        and display_name !~ '[[:cntrl:]]' and display_name ~ '[^[:space:]]'),
  avatar_url text
    constraint user_avatar_url_invalid
      check (avatar_url ~ '^https://' and char_length(avatar_url) <= 2048),
  share_progress boolean not null default false,
  share_streaks boolean not null default false,
  allow_friend_requests boolean not null default false,
  global_board boolean not null default false,
  friends_board boolean not null default false,
  company_board boolean not null default false,
  created_at timestamptz not null default now()
);
comment on table app.user is 'A person. What others see of them is a projection (app.standing and the board views), never this row.';
comment on column app.user.display_name is 'Chosen by the person; never derived from an e-mail address; unique nowhere.';
comment on column app.user.share_progress is 'The master switch: without it this person is on no board at all.';
comment on column app.user.share_streaks is 'Whether boards may show the streak beside the rest.';

alter table app.user enable row level security;
alter table app.user force row level security;
create policy user_self on app.user to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
-- A board shows the name beside a standing. Which standings there are is decided
-- by the policies on those; which columns can be read here, by this grant.
create policy user_named on app.user for select to breathmaster_boards
  using ((select app.uid()) is not null);

grant select on app.user to breathmaster_api;
grant update (display_name, avatar_url, share_progress, share_streaks, allow_friend_requests,
  global_board, friends_board, company_board) on app.user to breathmaster_api;
grant select (uid, display_name, avatar_url, allow_friend_requests) on app.user to breathmaster_boards;

create table app.refresh_token (
  uid uuid not null references app.user (uid) on delete cascade,
  family uuid not null,
  current_hash bytea not null check (octet_length(current_hash) = 32),
  previous_hash bytea check (octet_length(previous_hash) = 32),
  expires_at timestamptz not null,
  primary key (uid, family)
);
comment on table app.refresh_token is 'One row per sign-in. Tokens are kept as SHA-256 only.';
comment on column app.refresh_token.previous_hash is
  'The token that current_hash replaced. It works until its successor was used once, so that a lost answer signs nobody out; anything older revokes the family.';

alter table app.refresh_token enable row level security;
alter table app.refresh_token force row level security;
create policy refresh_token_self on app.refresh_token to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, insert, update, delete on app.refresh_token to breathmaster_api;
