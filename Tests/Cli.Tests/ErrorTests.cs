namespace Hosting.Cli.Tests;

public sealed class ErrorTests
{
    [Theory]
    [InlineData("error: Required command was not provided.")]
    [InlineData("error: Unrecognized command or argument 'bogus'.", "apps", "bogus")]
    [InlineData("error: Unrecognized command or argument '--bogus'.", "apps", "--bogus")]
    [InlineData("error: Required argument 'name' missing for command: 'status'.", "status")]
    [InlineData("error: --port must be a whole number, not 'abc'.", "deploy", "shop", "--port", "abc")]
    [InlineData("error: replicas must be a whole number, not 'many'.", "scale", "shop", "many")]
    [InlineData("error: Option '--memory' is required.", "explain", "--cpu", "1")]
    [InlineData("error: --timeout must be 1 to 86400 seconds.", "scale", "shop", "1", "--timeout", "0")]
    [InlineData("error: Give --image and --port", "deploy", "shop", "--image", "x")]
    [InlineData("error: Which app?", "deploy", "--image", "x", "--port", "1")]
    [InlineData("error: --env 'A': write KEY=VALUE.", "deploy", "shop", "--image", "x", "--port", "1", "--env", "A")]
    [InlineData("error: --constraint 'disk': write KEY=VALUE.", "explain", "--cpu", "1", "--memory", "4", "--constraint", "disk")]
    [InlineData("error: Argument 'rack' not recognized. Must be one of:", "deploy", "shop", "--image", "x", "--port", "1", "--spread", "rack")]
    [InlineData("error: Argument 'some' not recognized. Must be one of:", "deploy", "shop", "--image", "x", "--port", "1", "--placement", "some")]
    [InlineData("error: --admit must be a share over 0 and at most 1, such as 0.6, not '60'.", "thresholds", "eu-1", "--admit", "60")]
    [InlineData("error: --evict must be a share over 0 and at most 1, such as 0.6, not '-0.1'.", "thresholds", "eu-1", "--evict", "-0.1")]
    [InlineData("error: Give --admit, --evict or both, or else --reset.", "thresholds", "eu-1")]
    [InlineData("error: Give --admit, --evict or both, or else --reset.", "thresholds", "eu-1/srv-1", "--admit", "0.5", "--reset")]
    [InlineData("error: --reset is for servers", "thresholds", "eu-1", "--reset")]
    [InlineData("error: /does/not/exist can not be read", "deploy", "shop", "-f", "/does/not/exist")]
    [InlineData("error: - is not valid JSON", "deploy", "shop", "-f", "-")]
    [InlineData("error: 'nowhere' is not the address of an API", "apps", "--api", "nowhere")]
    public async Task Wrong_usage_is_told_and_ends_with_2(string message, params string[] args)
    {
        var run = await Run.Command(new Surroundings { Address = FakeApi.NobodyThere() }, args);
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
        Assert.Equal((2, ""), (run.Code, run.Out));
    }

    [Fact]
    public async Task A_request_that_is_not_valid_names_each_field_and_ends_with_2()
    {
        var problem = Canned.Problem(400, "The request is not valid", "port: no. regions[0]: no.", """{"port":["must be 1 to 65535"],"regions[0]":["is unknown"]}""");
        await using var api = (await FakeApi.Start()).On("PUT /v1/apps/shop", 400, problem);
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "0");
        Assert.Equal("error: The request is not valid\n  port: must be 1 to 65535\n  regions[0]: is unknown\n", run.Error);
        Assert.Equal((2, ""), (run.Code, run.Out));
    }

    [Theory]
    [InlineData(404, "Not found", "There is no app 'shop'.")]
    [InlineData(409, "The request contradicts what exists", "hostnames[0]: taken.")]
    [InlineData(503, "The platform can not answer now", "Repeat the request.")]
    public async Task Refusals_show_title_and_detail_and_end_with_1(int status, string title, string detail)
    {
        await using var api = (await FakeApi.Start()).On("DELETE /v1/apps/shop", status, Canned.Problem(status, title, detail));
        var run = await Run.Command(api, "delete", "shop");
        Assert.Equal((1, $"error: {title}\n  {detail}\n"), (run.Code, run.Error));
    }

    [Fact]
    public async Task An_api_that_is_not_there_says_what_to_check()
    {
        var run = await Run.Command(new Surroundings { Address = FakeApi.NobodyThere() }, "apps");
        Assert.Equal(1, run.Code);
        Assert.Contains("Check that the platform is up (infra/up), and the address (--api or $HOSTING_API).", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_else_at_the_address_is_not_taken_for_the_api()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/apps", 200, "<html>");
        Assert.Equal(1, (await Run.Command(api, "apps")).Code);
        Assert.Contains("check the address", (await Run.Command(api, "vms")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_under_localhost_are_this_machine()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/apps", 200, "[]");
        var run = await Run.Command(new Surroundings(), "apps", "--api", api.Address.Replace("127.0.0.1", "api.localhost", StringComparison.Ordinal));
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    [Fact]
    public async Task A_name_stays_one_segment_of_the_path()
    {
        await using var api = await FakeApi.Start();
        await Run.Command(api, "status", "../servers");
        Assert.Equal("/v1/apps/..%2Fservers", Assert.Single(api.Requests).Path);
    }
}
