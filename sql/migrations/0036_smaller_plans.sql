-- What every board begins with is a smaller plan.
--
-- What a policy looks up is part of each statement that reads the table, and for a board of few rows to begin the
-- statement is most of executing it. Whom a block hides was looked up in two branches, each with a policy of its own;
-- the policy alone already says that it is a block between the viewer and somebody.
set local role breathmaster_boards;
create or replace view board.blocked with (security_barrier) as
select case when uid = (select app.uid()) then blocked_uid else uid end as uid from app.block;
comment on view board.blocked is
  'Those whom the viewer blocked and those who blocked the viewer, by the policy block_between alone: if that showed more blocks, people would be hidden from viewers who have none with them. For the other boards alone.';
set local role breathmaster_owner;

-- A board of friends begins with who they are, which these say without a look at the table.
-- Not concurrently: a migration is one transaction, and a million friendships take seconds.
-- squawk-ignore require-concurrent-index-creation
create index friendship_accepted on app.friendship (uid, friend_uid) where accepted_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index friendship_accepted_by_friend on app.friendship (friend_uid, uid) where accepted_at is not null;
