-- Companies: who belongs, by which address, and who may know.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(43);
\ir support/cast.sql

-- How to read the lines below: each viewer in relation to Ada, then the number of
-- rows that the statement returned or changed for them, or the SQLSTATE in which
-- it ended. 42501 is either a privilege that is missing, a row that the policy
-- does not let be written, or nobody bound. 0 is a row that is not there for them.
-- Ada and Ben are bound to Acme, Eve to Umbrella, the others to no company.

-- The company itself (policy organization_joined for the server, organization_bound
-- for the functions of the owner, organization_tended for the job's).

select is(test.each('update app.organization set name = ''Emca'', show_real_names = true where organization_id = test.acme()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody changes a company but through the function that records it.');
select is(test.each('select from app.organization where organization_id = test.acme()'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A company is seen by its members alone.');
call test.be(test.ben());
select results_eq('select name from app.organization', array['Acme'],
  'A member sees their company even while they act for themself.');
reset role;
select is(test.each('select from app.organization where organization_id = test.acme()', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound company and no other.');
select is(test.each($$ update app.organization set name = 'Taken over' where organization_id = test.acme() $$, 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner changes the bound company and no other.');
select is(test.each($$ insert into app.organization values (gen_random_uuid(), 'Shell') $$, 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes no company other than the bound one.');

-- Members (policy member_self). A colleague does not see the row either: that two
-- people work together shows on the board only, and there by agreement.

select is(test.each('select from app.member where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A membership is seen by the member alone.');
select is(test.each('delete from app.member where uid = test.ada()'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Nobody ends a membership but through the function that records it.');
select is(test.each($$ insert into app.member values (test.acme(), app.uid(), 'owner') $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server makes nobody a member.');
select is(test.each($$ update app.member set role = 'owner' $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server changes nobody''s role.');
select is(test.each('select from app.member where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s memberships and no others.');
select is(test.each($$ insert into app.member values (test.umbrella(), test.ada(), 'member') $$, 'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes nobody a member but the bound user.');

-- Domains (policy domain_claim_bound): an affair of the company, visible where the
-- company is bound and not merely because one belongs to it.

select is(test.each('select from app.domain_claim where organization_id = test.acme()'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s domains are seen within that company alone.');
call test.be(test.ben());
select is_empty('select from app.domain_claim',
  'A member who acts for themself sees no domains.');
reset role;
select is(test.each('select from app.domain_claim where organization_id = test.acme()', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound company''s domains and no others.');
select is(test.each($$ insert into app.domain_claim values (test.acme(), 'more.example') $$, 'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner claims a domain for the bound company and no other.');

-- Addresses (policy email_claim_self): an affair of the person. That somebody is at
-- Acme does not make their address Acme's to read.

select is(test.each('select from app.email_claim where uid = test.ada()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'An address is seen by the person whose it is, and by no company.');
select is(test.each($$ insert into app.email_claim (uid, address) values (app.uid(), 'me@acme.example') $$),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server takes nobody''s word for an address.');
select is(test.each('select from app.email_claim where uid = test.ada()', 'breathmaster_owner'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound user''s addresses and no others.');
select is(
  test.each($$ insert into app.email_claim (uid, address) values (test.ada(), 'ada@home.example') $$, 'breathmaster_owner'),
  'herself 1, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner records an address for the bound user and nobody else.');

-- Joining. Whatever is in the way, the answer is the same, so that it tells
-- nothing about companies, domains or other people's addresses.

create function test.join_refusal() returns text language sql
  as $$ select 'no proved domain of that organization holds an address of this user'::text $$;

call test.be(test.stranger());
select throws_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())', 'BM404', test.join_refusal(),
  'Nobody joins without an address.');
select throws_ok('select app.join_organization(gen_random_uuid(), test.agreed(gen_random_uuid()), test.origin())', 'BM404', test.join_refusal(),
  'A company that does not exist looks like one that cannot be joined.');
select is(app.organization_id(), null, 'A refused joining leaves nobody bound to the company.');

call test.be(test.eve(), test.umbrella());
select throws_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())', 'BM404', test.join_refusal(),
  'Nobody joins by an address of another company.');
select is(app.organization_id(), test.umbrella(), 'A refused joining leaves the company that was bound.');

-- Addresses that look like the company's without lying in its domain: one that ends
-- in it, one below it and one that begins with it.
set local role breathmaster_owner;
select app.record_email(test.stranger(), 's@notacme.example');
select app.record_email(test.stranger(), 's@mail.acme.example');
select app.record_email(test.stranger(), 's@acme.example.evil.example');
call test.be(test.stranger());
select throws_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())', 'BM404', test.join_refusal(),
  'A longer name, a subdomain and a prefix are other domains.');

-- The right domain, but the company has not proved it.
set local role breathmaster_owner;
select app.record_email(test.stranger(), 'Sam@ACME.example');
reset role;
update app.domain_claim set proved_at = null where organization_id = test.acme();
call test.be(test.stranger());
select throws_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())', 'BM404', test.join_refusal(),
  'Nobody joins by a domain that is not proved.');
reset role;
update app.domain_claim set proved_at = now() where organization_id = test.acme();

call test.be(test.stranger());
select lives_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())',
  'An address in the proved domain opens the door, in whatever case it is written.');
select is(app.organization_id(), test.acme(), 'Who joined is bound to the company.');
call test.be(test.ada());
select lives_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())', 'Joining twice does no harm.');
call test.be_unbound();
select throws_ok('select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin())', '42501', 'no principal is bound to this transaction',
  'Nobody joins unbound.');
reset role;
-- Ada founded the company: joining again must not have made her a plain member.
select results_eq(
  $$ select u.display_name, m.role from app.member m join app.user u using (uid)
     where m.organization_id = test.acme() order by 1 $$,
  $$ values ('Ada', 'owner'), ('Ben', 'member'), ('stranger', 'member') $$,
  'Joining made members of those who joined, of nobody else, and took no role away.');

-- The operator's two acts. Each acts for the person that it names, binding them
-- first: the policies hold the operator's functions as they hold the server's.

set local role breathmaster_owner;
select throws_ok($$ select app.create_organization('Ghost', 'ghost.example', gen_random_uuid()) $$, 'BM401', 'unknown user',
  'A company is not founded for someone who does not exist.');
select throws_ok($$ select app.record_email(gen_random_uuid(), 'ghost@ghost.example') $$, 'BM401', 'unknown user',
  'An address is not recorded for someone who does not exist.');
select lives_ok($$ select app.record_email(test.ben(), 'ben@acme.example') $$,
  'Recording an address twice does no harm.');
select lives_ok($$ select app.create_organization('Franks', 'FRANK.example', test.frank()) $$,
  'A person can be given a company.');
reset role;
select results_eq(
  $$ select o.name, d.domain, d.proved_at is not null, u.display_name, m.role
     from app.organization o
       join app.domain_claim d using (organization_id)
       join app.member m using (organization_id)
       join app.user u using (uid)
     where o.name = 'Franks' $$,
  $$ values ('Franks', 'frank.example', true, 'Frank', 'owner') $$,
  'A new company has its proved domain and its owner, and nobody else.');

-- Constraint names are the codes that a client is shown. A domain and an address
-- are unique in the world, so these two do tell that somebody else has them; only
-- the operator gets to ask.

set local role breathmaster_owner;
select throws_ok($$ select app.create_organization('Acme again', 'Acme.Example', test.eve()) $$, '23505',
  'duplicate key value violates unique constraint "domain_claim_taken"',
  'A domain is held by one company, in whatever case it is written.');
select throws_ok($$ select app.create_organization('No domain', 'acme', test.eve()) $$, '23514',
  'new row for relation "domain_claim" violates check constraint "domain_claim_invalid"',
  'A word without a dot is no domain.');
select throws_ok($$ select app.create_organization('', 'empty.example', test.eve()) $$, '23514',
  'new row for relation "organization" violates check constraint "organization_name_invalid"',
  'A company has a name.');
select throws_ok($$ select app.record_email(test.eve(), 'ADA@acme.example') $$, '23505',
  'duplicate key value violates unique constraint "email_claim_taken"',
  'An address belongs to one person, in whatever case it is written.');
select throws_ok($$ select app.record_email(test.eve(), 'eve@acme.example@umbrella.example') $$, '23514',
  'new row for relation "email_claim" violates check constraint "email_claim_invalid"',
  'An address has one at-sign, so its domain is not a matter of reading.');
reset role;

-- A company that goes takes what is the company's with it, and no person.

delete from app.organization where organization_id = test.acme();
select results_eq(
  $$ select (select count(*) from app.member where organization_id = test.acme())
       + (select count(*) from app.domain_claim where organization_id = test.acme())
       + (select count(*) from app.company_standing where organization_id = test.acme()),
       (select count(*) from app.user where uid in (test.ada(), test.ben())) $$,
  $$ values (0::bigint, 2::bigint) $$,
  'Deleting a company deletes its memberships, domains and board, and leaves its people.');

select * from finish();
rollback;
