-- What the benchmark reads and writes. A superuser runs it, as often as they
-- like: it makes the three tables anew, and touches nothing outside the schema
-- "bench" but the role "bench".

\set ON_ERROR_STOP on
set client_min_messages = warning;

do $$
begin
  if not exists (select from pg_roles where rolname = 'bench') then
    create role bench;
  end if;
end
$$;
-- A superuser, or a role that bypasses it, would not be subject to row security.
alter role bench login nosuperuser nobypassrls;

create schema if not exists bench;
drop table if exists bench.item, bench.point, bench.target;

-- Read without row security: the point read and the rows.
create table bench.point (
  id bigint primary key,
  name text not null,
  score bigint not null,
  changed_at timestamptz not null
);
insert into bench.point
select id, 'item number ' || id, id * 7919 % 1000003,
       timestamptz '2024-01-01 00:00:00+00' + id * interval '1.000001 seconds'
from generate_series(1, 100000) as id;

-- The same rows, each visible only to its tenant.
create table bench.item (
  tenant int not null,
  id bigint primary key,
  name text not null,
  score bigint not null,
  changed_at timestamptz not null
);
insert into bench.item
select id % 100, id, name, score, changed_at from bench.point;

alter table bench.item enable row level security;
create policy own_tenant on bench.item for select to bench
  using (tenant = (select nullif(current_setting('bench.tenant', true), ''))::int);

-- Written by COPY. Unlogged, so that the client is measured more than the disk.
create unlogged table bench.target (
  id bigint not null,
  name text not null,
  score bigint not null,
  changed_at timestamptz not null
);

grant usage on schema bench to bench;
grant select on bench.item, bench.point to bench;
grant select, insert, truncate on bench.target to bench;

-- Frozen and written out, so that no run pays for what the setup left to do.
vacuum (freeze, analyze) bench.item, bench.point, bench.target;
checkpoint;
