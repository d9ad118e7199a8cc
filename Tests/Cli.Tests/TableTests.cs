namespace Hosting.Cli.Tests;

public sealed class TableTests
{
    [Fact]
    public async Task Containers_are_aligned_plain_text_in_a_pipe()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/containers", 200, Canned.Containers);
        var run = await Run.Command(api, "containers");
        Assert.Equal("""
            ID       APP   REVISION  STATE     VM               ENDPOINT        CPU MILLIS  MEMORY MIB  AGE  REASON
            shop-a1  shop         2  Running   eu-1/srv-1/vm-1  10.0.0.2:32768         250         128   3m
            shop-b2  shop         2  Starting  eu-1/srv-2/vm-1                         250         128  12s  no image [31m shop:1.4

            """, run.Out);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    [Fact]
    public async Task Servers_show_shares_and_why_one_takes_no_containers()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/servers?region=eu-1", 200, Canned.Servers);
        var run = await Run.Command(api, "servers", "--region", "eu-1");
        var lines = run.Out.Split('\n');
        Assert.Matches(@"^eu-1/srv-1 +yes +31% +50% +20% +60% +80% +8000 +16384 +1 +disk=ssd, zone=a$", lines[1]);
        Assert.Matches(@"^eu-1/srv-2 +offline +60% +80% +8000 +16384 +0 +its agent is not connected$", lines[2]);
        Assert.EndsWith(" its containers are held to 300 m CPU", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_gets_colours()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/containers", 200, Canned.Containers);
        var run = await Run.Command(new Surroundings { Address = api.Address, Rich = true }, "containers");
        Assert.Contains("\u001b[", run.Out, StringComparison.Ordinal);
        Assert.Contains("shop-b2", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("no image\u001b", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("apps", "GET /v1/apps", "There are no apps yet")]
    [InlineData("vms", "GET /v1/vms", "There are no VMs yet")]
    [InlineData("regions", "GET /v1/regions", "There are no regions yet")]
    [InlineData("events", "GET /v1/events", "Nothing happened yet")]
    public async Task An_empty_list_is_a_sentence(string command, string request, string sentence)
    {
        await using var api = (await FakeApi.Start()).On(request, 200, "[]");
        var run = await Run.Command(api, command);
        Assert.StartsWith(sentence, run.Out, StringComparison.Ordinal);
        Assert.Equal(0, run.Code);
    }

    [Theory]
    [InlineData("containers", "GET /v1/containers")]
    [InlineData("apps", "GET /v1/apps")]
    public async Task Json_is_what_the_api_answered(string command, string request)
    {
        const string answer = """[{"id":"a","name":"ä<b>","unknown":{"n":1.50,"big":12345678901234567890},"state":null}]""";
        await using var api = (await FakeApi.Start()).On(request, 200, answer);
        var run = await Run.Command(api, command, "-o", "json");
        Assert.Contains("\n", run.Out.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(answer, string.Concat(run.Out.Where(c => !char.IsWhiteSpace(c))));
    }

    [Fact]
    public async Task An_incomplete_answer_says_what_it_lacks()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/servers", 200, Canned.Servers, ("Hosting-Incomplete", "no answer from eu-2"));
        var run = await Run.Command(api, "servers");
        Assert.Equal("note: no answer from eu-2\n", run.Error);
    }

    [Fact]
    public async Task Status_shows_the_app_and_its_containers()
    {
        await using var api = (await FakeApi.Start())
            .On("GET /v1/apps/shop", 200, Canned.App("Degraded", ready: 1, message: "no such image"))
            .On("GET /v1/apps/shop/containers", 200, Canned.Containers);
        var run = await Run.Command(api, "status", "shop");
        Assert.StartsWith("shop: Degraded, 1 of 3 ready, revision 1\n  no such image\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("shop-a1", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_shows_candidates_by_rank_and_the_rules_that_exclude()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/placements/explain", 200, """
            [{"region":"eu-1","vms":2,"matching":1,"excluded":[{"rule":"freeCpu","count":1}],"candidates":[
              {"server":"srv-1","vm":"vm-1","freeCpuMillis":900,"freeMemoryMiB":512,"projectedCpu":0.42,"projectedMemory":0.3,"admit":0.6,"replicas":2,"replicasInVm":1,"rank":1,"excludedBy":null,"reason":null},
              {"server":"srv-2","vm":"vm-1","freeCpuMillis":100,"freeMemoryMiB":512,"projectedCpu":0.42,"projectedMemory":0.3,"admit":0.6,"replicas":0,"rank":null,"excludedBy":"freeCpu","reason":"100 free, 500 wanted"}]}]
            """);
        var run = await Run.Command(api, "explain", "--cpu", "500", "--memory", "64", "--region", "eu-1");
        Assert.StartsWith("eu-1: 1 of 2 VMs match; excluded: 1 by freeCpu\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("100 free, 500 wanted", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n +1 +eu-1/srv-1/vm-1 +900 +512 +42% +30% +60% +2 +1\n", run.Out);
        Assert.Equal("""{"cpuMillis":500,"memoryMiB":64,"regions":["eu-1"]}""", Assert.Single(api.Requests).Body);
    }

    [Fact]
    public async Task Explain_asks_for_what_deploy_would()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/placements/explain", 200, "[]");
        await Run.Command(api, "explain", "--cpu", "1", "--memory", "4", "--app", "shop", "--spread", "none", "--constraint", "disk=ssd", "--best", "3");
        Assert.Equal("""{"cpuMillis":1,"memoryMiB":4,"app":"shop","spread":"none","constraints":{"disk":"ssd"},"best":3}""", Assert.Single(api.Requests).Body);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(60, "1m")]
    [InlineData(3_599, "59m")]
    [InlineData(3_600, "1h")]
    [InlineData(86_400, "1d")]
    [InlineData(-5, "0s")]
    public void Ages_have_one_unit(double seconds, string age) =>
        Assert.Equal(age, Output.Words.Age(Run.Now.AddSeconds(-seconds), Run.Now));
}
