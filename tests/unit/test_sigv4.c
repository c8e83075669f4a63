/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature version 4, by the examples that Amazon publishes. Needs libcrypto, no privilege. More,
 * and compared with another implementation, is in tests/run/52-s3.sh.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "fetch/sigv4.h"

#define POOL_MAX ((size_t)4 << 20)
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *sigv4_suite(void);

#define SUITE                                                                                      \
	"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z", "service"
#define S3_DOCS                                                                                    \
	"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524T000000Z", "s3"
#define EMPTY SIGV4_EMPTY_SHA256
#define WELCOME "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define FORM "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define HOST "host:example.amazonaws.com"
#define DATE "x-amz-date:20150830T123600Z"
#define S3_HOST "host:examplebucket.s3.amazonaws.com"
#define S3_DATE "x-amz-date:20130524T000000Z"
#define S3_EMPTY "x-amz-content-sha256:" EMPTY

struct vector {
	const char *name, *key_id, *secret, *date, *service;
	const char *method, *path, *query; /* as they might be written, not yet encoded */
	const char *headers;               /* "name:value", one a line */
	const char *payload;
	const char *hash; /* of the canonical request */
	const char *signature;
};

/*
 * Source: aws-sig-v4-test-suite, in its forms for services that do not normalize paths; and
 * "Examples: Signature Calculations", Amazon S3 API reference.
 */
/* clang-format off */
static const struct vector vectors[] = {
	{ "get-vanilla", SUITE, "GET", "/", "", HOST "\n" DATE, EMPTY,
	  "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
	  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-vanilla-query-order-key-case", SUITE, "GET", "/", "Param2=value2&Param1=value1", HOST "\n" DATE, EMPTY,
	  "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
	  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-unreserved", SUITE, "GET", "/", UNRESERVED "=" UNRESERVED, HOST "\n" DATE, EMPTY,
	  "c30d4703d9f799439be92736156d47ccfb2d879ddf56f5befa6d1d6aab979177",
	  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
	{ "get-vanilla-utf8-query", SUITE, "GET", "/", "\341\210\264=bar", HOST "\n" DATE, EMPTY,
	  "eb30c5bed55734080471a834cc727ae56beb50e5f39d1bff6d0d38cb192a7073",
	  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-header-key-duplicate", SUITE, "GET", "/", "", HOST "\nmy-header1:value2,value2,value1\n" DATE, EMPTY,
	  "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966c",
	  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	{ "get-unreserved", SUITE, "GET", "/" UNRESERVED, "", HOST "\n" DATE, EMPTY,
	  "6a968768eefaa713e2a6b16b589a8ea192661f098f37349f4e2c0082757446f9",
	  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-utf8", SUITE, "GET", "/\341\210\264", "", HOST "\n" DATE, EMPTY,
	  "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac42102",
	  "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-space-unnormalized", SUITE, "GET", "/example space/", "", HOST "\n" DATE, EMPTY,
	  "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86",
	  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-slashes-unnormalized", SUITE, "GET", "//example//", "", HOST "\n" DATE, EMPTY,
	  "528ec3105ee1f34ab014bb0a1a45da0ed2742a4fea3555149e5b4d5d201eb240",
	  "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5" },
	{ "post-vanilla", SUITE, "POST", "/", "", HOST "\n" DATE, EMPTY,
	  "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87",
	  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-vanilla-query", SUITE, "POST", "/", "Param1=value1", HOST "\n" DATE, EMPTY,
	  "9d659678c1756bb3113e2ce898845a0a79dbbc57b740555917687f1b3340fbbd",
	  "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
	{ "post-header-key-sort", SUITE, "POST", "/", "", HOST "\nmy-header1:value1\n" DATE, EMPTY,
	  "9368318c2967cf6de74404b30c65a91e8f6253e0a8659d6d5319f1a812f87d65",
	  "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
	{ "post-x-www-form-urlencoded", SUITE, "POST", "/", "",
	  "content-length:13\ncontent-type:application/x-www-form-urlencoded\n" HOST "\nx-amz-content-sha256:" FORM "\n" DATE,
	  FORM, "b1edd1d03544c25390e32085d55b57acc9a3961bb59415ff86c45c3d89d16cfb",
	  "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b" },
	{ "GET Object", S3_DOCS, "GET", "/test.txt", "", S3_HOST "\nrange:bytes=0-9\n" S3_EMPTY "\n" S3_DATE, EMPTY,
	  "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
	  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
	{ "PUT Object", S3_DOCS, "PUT", "/test$file.text", "",
	  "date:Fri, 24 May 2013 00:00:00 GMT\n" S3_HOST "\nx-amz-content-sha256:" WELCOME "\n" S3_DATE
	  "\nx-amz-storage-class:REDUCED_REDUNDANCY", WELCOME,
	  "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
	  "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
	{ "GET Bucket Lifecycle", S3_DOCS, "GET", "/", "lifecycle", S3_HOST "\n" S3_EMPTY "\n" S3_DATE, EMPTY,
	  "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
	  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
	{ "GET Bucket (List Objects)", S3_DOCS, "GET", "/", "prefix=J&max-keys=2", S3_HOST "\n" S3_EMPTY "\n" S3_DATE, EMPTY,
	  "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
	  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};
/* clang-format on */

/* The lines taken apart into list; returns their number, and their names with ; between them. */
static size_t read_headers(const char *lines, struct pool *pool, struct sigv4_header *list,
			   const char **names)
{
	char *rest = pool_strdup(pool, lines), *line;
	size_t n = 0;

	*names = "";
	while ((line = strsep(&rest, "\n"))) {
		list[n].name = strsep(&line, ":");
		list[n].value = line;
		*names = pool_printf(pool, "%s%s%s", *names, n ? ";" : "", list[n].name);
		n++;
	}
	return n;
}

START_TEST(published_signatures)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	const struct vector *v = &vectors[_i];
	struct sigv4_header headers[8];
	struct sigv4_request request = { .method = v->method,
					 .path = sigv4_encode(v->path, true, &pool),
					 .query = sigv4_query(v->query, &pool),
					 .headers = headers,
					 .payload_sha256 = v->payload,
					 .date = v->date,
					 .region = "us-east-1",
					 .service = v->service };
	const char *text, *value, *names;
	struct error err;

	request.headers_n = read_headers(v->headers, &pool, headers, &names);
	text = sigv4_string_to_sign(&request, &pool, &err);
	ck_assert_str_eq(
		text, pool_printf(&pool, "AWS4-HMAC-SHA256\n%s\n%.8s/us-east-1/%s/aws4_request\n%s",
				  v->date, v->date, v->service, v->hash));
	ck_assert_int_eq(sigv4_authorization(&request, v->key_id, v->secret, &pool, &value, &err),
			 0);
	ck_assert_str_eq(
		value,
		pool_printf(
			&pool,
			"AWS4-HMAC-SHA256 Credential=%s/%.8s/us-east-1/%s/aws4_request, SignedHeaders=%s, Signature=%s",
			v->key_id, v->date, v->service, names, v->signature));
}
END_TEST

START_TEST(a_canonical_request)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	const struct sigv4_header headers[] = { { "host", "h" }, { "x-amz-date", "d" } };
	const struct sigv4_request request = { .method = "GET",
					       .path = "/a",
					       .query = "b=c",
					       .headers = headers,
					       .headers_n = 2,
					       .payload_sha256 = EMPTY };

	ck_assert_str_eq(sigv4_canonical_request(&request, &pool),
			 "GET\n/a\nb=c\nhost:h\nx-amz-date:d\n\n"
			 "host;x-amz-date\n" EMPTY);
}
END_TEST

struct row {
	const char *source, *expected;
};

static const struct row queries[] = {
	{ "", "" },
	{ "&&", "" },
	{ "a", "a=" },
	{ "a=", "a=" },
	{ "=a", "=a" },
	{ "b=1&a=2&", "a=2&b=1" },
	{ "a-b=1&a=2&a1=3&aB=4", "a=2&a-b=1&a1=3&aB=4" },
	{ "a=2&a=10&a=1", "a=1&a=10&a=2" },
	{ "a=b=c&d=e/f:g;h", "a=b%3Dc&d=e%2Ff%3Ag%3Bh" },
	{ "a=b+c%2Bd%20e", "a=b%20c%2Bd%20e" },
	{ "%61=%7e%C3%A4\303\244", "a=~%C3%A4%C3%A4" },
	{ "a=%2541", "a=%2541" },
};

START_TEST(canonical_queries)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);

	ck_assert_str_eq(sigv4_query(queries[_i].source, &pool), queries[_i].expected);
}
END_TEST

START_TEST(encoding)
{
	AUTO_POOL pool = POOL_INIT(POOL_MAX);
	char bytes[256], expected[3 * 255 + 1], *out = expected;

	for (int i = 1; i < 256; i++) {
		bytes[i - 1] = (char)i;
		out += i < 128 && strchr(UNRESERVED "/", i) ? sprintf(out, "%c", i) :
							      sprintf(out, "%%%02X", i);
	}
	bytes[255] = '\0';
	ck_assert_str_eq(sigv4_encode(bytes, true, &pool), expected);
	ck_assert_str_eq(sigv4_encode("a/b", false, &pool), "a%2Fb");
}
END_TEST

Suite *sigv4_suite(void)
{
	Suite *suite = suite_create("sigv4");
	TCase *signatures = tcase_create("signatures");

	tcase_add_loop_test(signatures, published_signatures, 0, ROWS(vectors));
	tcase_add_test(signatures, a_canonical_request);
	tcase_add_loop_test(signatures, canonical_queries, 0, ROWS(queries));
	tcase_add_test(signatures, encoding);
	suite_add_tcase(suite, signatures);
	return suite;
}
