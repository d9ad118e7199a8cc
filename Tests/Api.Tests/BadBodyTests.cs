using CsCheck;

namespace Hosting.Api.Tests;

public sealed class BadBodyTests(ApiHost api)
{
    [Theory]
    [InlineData("", "$", "empty")]
    [InlineData("hello", "$", "not valid JSON at line 1, byte 1")]
    [InlineData("""{"image":"i","port":1,}""", "$", "trailing commas")]
    [InlineData("""{"image":"i","port":1 /* c */}""", "$", "comments")]
    [InlineData("""{"image":"i","port":1,"port":2}""", "$", "given twice")]
    [InlineData("[[[[[[[[[[1]]]]]]]]]]", "$", "8 levels")]
    [InlineData("null", "$", "must not be null")]
    [InlineData("[]", "$", "must be an object")]
    [InlineData("{}", "image", "is required")]
    [InlineData("{}", "port", "is required")]
    [InlineData("""{"image":"i","port":1,"replica":1}""", "replica", "known are args, command, constraints")]
    [InlineData("""{"image":"i","Port":1,"port":1}""", "Port", "not a known field")]
    [InlineData("""{"image":"i","port":"8080"}""", "port", "whole number")]
    [InlineData("""{"image":"i","port":80.5}""", "port", "whole number")]
    [InlineData("""{"image":"i","port":99999999999}""", "port", "whole number")]
    [InlineData("""{"image":"i","port":null}""", "port", "must not be null")]
    [InlineData("""{"image":7,"port":1}""", "image", "must be text")]
    [InlineData("""{"image":null,"port":1}""", "image", "must not be null")]
    [InlineData("""{"image":"\u0000","port":1}""", "image", "NUL")]
    [InlineData("""{"image":"\ud800","port":1}""", "image", "surrogate")]
    [InlineData("""{"image":"i","port":1,"regions":"eu-1"}""", "regions", "must be a list")]
    [InlineData("""{"image":"i","port":1,"regions":{"eu-1":"2"}}""", "regions.eu-1", "must be a whole number")]
    [InlineData("""{"image":"i","port":1,"regions":["eu-1",2]}""", "regions[1]", "must be text")]
    [InlineData("""{"image":"i","port":1,"args":[null]}""", "args[0]", "must not be null")]
    [InlineData("""{"image":"i","port":1,"env":{"A":1}}""", "env.A", "must be text")]
    [InlineData("""{"image":"i","port":1,"env":["A=1"]}""", "env", "names and values")]
    [InlineData("""{"image":"i","port":1,"spread":"everywhere"}""", "spread", "\"server\", \"none\"")]
    [InlineData("""{"image":"i","port":1,"spread":0}""", "spread", "\"server\", \"none\"")]
    [InlineData("""{"image":"i","port":1,"placement":"some"}""", "placement", "\"asManyAsFit\", \"allOrNothing\"")]
    [InlineData("""{"image":"i","port":1,"placement":null}""", "placement", "must not be null")]
    [InlineData("""{"image":"i","port":1,"constraints":{"zone":7}}""", "constraints.zone", "must be text")]
    [InlineData("""{"image":"i","port":1,"healthCheck":{"paths":"/"}}""", "healthCheck.paths", "known are gracePeriodSeconds")]
    [InlineData("""{"image":"i","port":1,"healthCheck":{"intervalSeconds":true}}""", "healthCheck.intervalSeconds", "whole number")]
    public async Task Each_wrong_field_is_named_with_what_would_be_right(string body, string field, string message)
    {
        var reply = (await api.Send("PUT", "/v1/apps/body", body)).IsProblem(400);
        Assert.Contains(message, Assert.Single(reply.Errors(field)), StringComparison.Ordinal);
        Assert.False(api.World.Apps.ContainsKey("body"));
    }

    [Fact]
    public async Task Everything_wrong_is_told_at_once()
    {
        var reply = (await api.Send("PUT", "/v1/apps/body", """{"port":"x","foo":1,"rollout":{"maxSurge":"1"}}""")).IsProblem(400);
        Assert.Equal(["foo", "image", "port", "rollout.maxSurge"], reply.Json!["errors"]!.AsObject().Select(e => e.Key).Order());
    }

    [Theory]
    [InlineData(64 * 1024 - 100, 201)]
    [InlineData(64 * 1024, 413)]
    [InlineData(10_000_000, 413)]
    public async Task Large_bodies_are_refused(int padding, int status) =>
        (await api.Send("PUT", $"/v1/apps/large-{padding}", """{"image":"i","port":1,"env":{"A":"?"}}""".Replace("?", new string('x', padding), StringComparison.Ordinal))).Is(status);

    [Fact]
    public async Task A_large_body_of_unknown_length_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/v1/apps/chunked");
        request.Headers.TransferEncodingChunked = true;
        request.Content = new StringContent(new string(' ', 70_000), System.Text.Encoding.UTF8, "application/json");
        using var response = await api.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(413, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("")]
    public async Task Other_content_types_are_refused(string contentType) =>
        (await api.Send("PUT", "/v1/apps/typed", """{"image":"i","port":1}""", contentType)).IsProblem(415);

    [Theory]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("POST", "/v1/apps/shop", 405)]
    [InlineData("GET", "/v1/apps?limit=0", 400)]
    [InlineData("GET", "/v1/containers?limit=10001", 400)]
    [InlineData("GET", "/v1/containers?limit=many", 400)]
    [InlineData("GET", "/v1/containers?all=perhaps", 400)]
    [InlineData("GET", "/v1/containers?region=eu-2&server=eu-1/srv-1", 400)]
    [InlineData("GET", "/v1/servers?region=nowhere", 404)]
    [InlineData("GET", "/v1/servers/nowhere/srv-1", 404)]
    [InlineData("GET", "/v1/servers/eu-1/srv-99", 404)]
    [InlineData("GET", "/v1/servers/eu-2/srv-1", 503)]
    [InlineData("GET", "/v1/servers?region=eu-2", 503)]
    public async Task Every_refusal_is_a_problem_that_says_what_to_do(string method, string path, int status) =>
        (await api.Send(method, path)).IsProblem(status);

    [Fact]
    public async Task A_wrong_query_parameter_is_named() =>
        Assert.Equal(["can not be 'perhaps': it must be true or false."], (await api.Send("GET", "/v1/containers?all=perhaps")).Errors("all"));

    [Fact]
    public async Task No_body_makes_the_software_fail() =>
        await Gen.Select(Gen.Char["{}[]\",:0 1.eE-tnu\\image port env null\u0000é"].Array[0, 30], Gen.Bool).SampleAsync(
            async (noise, wrapped) =>
            {
                var text = new string(noise);
                var reply = await api.Send("PUT", "/v1/apps/noise?dryRun=true", wrapped ? $$"""{"image":"i","port":{{text}}}""" : text);
                Assert.True(reply.Status is 200 or 400, $"{reply.Status} {reply.Text}");
            },
            iter: 300, threads: 1);
}
