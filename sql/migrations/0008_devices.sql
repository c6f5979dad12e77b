-- Devices: which sign-in each of them syncs by, and an end to it. And two wishes
-- of a person about their syncs and their days.

alter table app.device
  add column chosen_name text
    constraint device_name_invalid
      check (char_length(chosen_name) between 1 and 80 and chosen_name is normalized
        and chosen_name !~ '[[:cntrl:]]' and chosen_name ~ '[^[:space:]]'),
  add column family uuid,
  add column revoked_at timestamptz;
comment on column app.device.chosen_name is
  'What the person calls it. Beside name, which is what it calls itself on every sync and would take this back.';
comment on column app.device.family is
  'The sign-in by which it last synced, null before that was noted. No foreign key: the device outlives the sign-in.';
comment on column app.device.revoked_at is
  'When the person ended it. Its practice stays theirs; a sync by a new sign-in brings the device back.';

-- Binds the transaction to a person who came by a sign-in, and refuses one that has
-- ended: deleting its row ends its access tokens too, at the next request. The row
-- refers to its user, so one look tells of both and this costs no more than the
-- other app.bind, which is for those who come without a token.
create function app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  if not exists (select from app.refresh_token where uid = bound_uid and family = bound_family) then
    raise exception 'that sign-in has ended' using errcode = 'BM401';
  end if;
  if bound_organization is not null and not exists (
    select from app.member where organization_id = bound_organization and uid = bound_uid
  ) then
    raise exception 'not an active member of that organization' using errcode = 'BM404';
  end if;
end
$$;
comment on function app.bind(uuid, uuid, uuid) is
  'Raises BM401 where the sign-in has ended or never was, and BM404 where the user is not an active member.';
revoke all on function app.bind(uuid, uuid, uuid) from public;
grant execute on function app.bind(uuid, uuid, uuid) to breathmaster_api;

alter table app.user
  add column preferred_sync_frequency text not null default 'realtime'
    constraint user_preferred_sync_frequency_invalid
      check (preferred_sync_frequency in ('realtime', 'hourly', 'daily')),
  add column day_starts_at integer not null default 0
    constraint user_day_starts_at_invalid check (day_starts_at between 0 and 6);
comment on column app.user.preferred_sync_frequency is
  'How often the person wants their devices to come. A wish: the server takes every sync.';
comment on column app.user.day_starts_at is
  'The local hour at which the person''s day begins: later than midnight for those who practise after it.';
grant update (preferred_sync_frequency, day_starts_at) on app.user to breathmaster_api;
