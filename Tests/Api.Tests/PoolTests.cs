using System.Text.Json.Nodes;
using Hosting.Placement;

namespace Hosting.Api.Tests;

public sealed class PoolTests(ApiHost api)
{
    [Fact]
    public async Task Servers_come_with_utilization_thresholds_and_vms()
    {
        api.World.AddServer("shown");
        var reply = (await api.Send("GET", "/v1/servers/eu-1/shown")).Is(200);
        Assert.True(JsonNode.DeepEquals(reply.Json, JsonNode.Parse("""
            {"id":"eu-1/shown","online":true,"cordoned":false,"admitting":true,"notAdmittingReason":null,"cpuMillis":8000,"memoryMiB":16384,
             "utilization":{"cpu":0.25,"memory":0.5,"primaryCpu":0.125},"thresholds":{"admit":0.6,"evict":0.8},
             "vms":[{"id":"eu-1/shown/vm-1","region":"eu-1","server":"shown","name":"vm-1","driver":"nested","cpuMillis":2000,"memoryMiB":1024,
                     "freeCpuMillis":1500,"freeMemoryMiB":512,"containers":2,"ready":true,"reason":null,"cordoned":false,"draining":false}],
             "labels":{"zone":"a"},"draining":false,"containers":2,"suspect":false,"lastHeardAt":null,"primaryWait":null,"capMillis":null,"heldBack":0}
            """)), reply.Text);
        var vms = (await api.Send("GET", "/v1/vms?server=eu-1/shown")).Is(200);
        Assert.True(JsonNode.DeepEquals(vms.Json, reply.Json!["vms"]), vms.Text);
    }

    [Fact]
    public async Task A_region_that_does_not_answer_leaves_the_others()
    {
        api.World.AddServer("alone");
        var servers = (await api.Send("GET", "/v1/servers")).Is(200);
        Assert.Contains("eu-1/alone", servers.Text, StringComparison.Ordinal);
        Assert.Contains("no answer from eu-2", servers.Headers["Hosting-Incomplete"], StringComparison.Ordinal);
        var regions = (await api.Send("GET", "/v1/regions")).Is(200).Json!.AsArray();
        Assert.Equal(["eu-1", "eu-2"], regions.Select(r => r!["name"]!.GetValue<string>()));
        Assert.True(regions[0]!["serversOnline"]!.GetValue<int>() > 0);
        Assert.Null(regions[1]!["servers"]);
        Assert.Contains("does not answer", regions[1]!["reason"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_is_cordoned_and_given_thresholds()
    {
        api.World.AddServer("patched");
        const string path = "/v1/servers/eu-1/patched";
        Assert.True((await api.Send("PATCH", path, """{"cordoned":true}""")).Is(200).Json!["cordoned"]!.GetValue<bool>());
        var own = (await api.Send("PATCH", path, """{"thresholds":{"admit":0.5,"evict":0.5}}""")).Is(200).Json!;
        Assert.Equal((true, 0.5), (own["cordoned"]!.GetValue<bool>(), own["thresholds"]!["admit"]!.GetValue<double>()));
        var reset = (await api.Send("PATCH", path, """{"cordoned":false,"thresholds":null}""")).Is(200).Json!;
        Assert.Equal((false, 0.6), (reset["cordoned"]!.GetValue<bool>(), reset["thresholds"]!["admit"]!.GetValue<double>()));
    }

    [Theory]
    [InlineData("/v1/servers/eu-1/halves")]
    [InlineData("/v1/regions/eu-1")]
    public async Task A_threshold_that_is_not_named_stays(string path)
    {
        api.World.AddServer("halves");
        await api.Send("PATCH", path, """{"thresholds":{"admit":0.6,"evict":0.8}}""");
        var changed = (await api.Send("PATCH", path, """{"thresholds":{"evict":0.9}}""")).Is(200).Json!["thresholds"]!;
        Assert.Equal((0.6, 0.9), (changed["admit"]!.GetValue<double>(), changed["evict"]!.GetValue<double>()));
        var refused = (await api.Send("PATCH", path, """{"thresholds":{"evict":0.5}}""")).IsProblem(409);
        Assert.Contains("admit 0.6 and evict 0.5", Assert.Single(refused.Errors("thresholds")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "$")]
    [InlineData("""{"cordon":true}""", "cordon")]
    [InlineData("""{"resetThresholds":true}""", "resetThresholds")]
    [InlineData("""{"cordoned":"yes"}""", "cordoned")]
    [InlineData("""{"thresholds":{}}""", "thresholds")]
    [InlineData("""{"thresholds":{"admit":0,"evict":0.5}}""", "thresholds.admit")]
    [InlineData("""{"thresholds":{"admit":0.5,"evict":1.01}}""", "thresholds.evict")]
    [InlineData("""{"thresholds":{"admit":0.6,"evict":0.5}}""", "thresholds.evict")]
    [InlineData("""{"thresholds":{"admit":1e999,"evict":0.5}}""", "thresholds.admit")]
    public async Task A_wrong_change_of_a_server_changes_nothing(string body, string field)
    {
        api.World.AddServer("steady");
        Assert.NotEmpty((await api.Send("PATCH", "/v1/servers/eu-1/steady", body)).IsProblem(400).Errors(field));
        Assert.Equal((false, null), (api.World.Servers["steady"].Server.Cordoned, api.World.Servers["steady"].Server.Thresholds));
    }

    [Fact]
    public async Task The_policy_of_a_region_is_changed()
    {
        var reply = (await api.Send("PATCH", "/v1/regions/eu-1", """{"thresholds":{"admit":0.7,"evict":0.9}}""")).Is(200);
        Assert.Equal(0.7, reply.Json!["thresholds"]!["admit"]!.GetValue<double>());
        Assert.Equal(new Thresholds(0.7, 0.9), api.World.Policies[World.Region].Thresholds);
        (await api.Send("PATCH", "/v1/regions/eu-1", "{}")).IsProblem(400);
        (await api.Send("PATCH", "/v1/regions/nowhere", """{"thresholds":{"admit":0.7,"evict":0.9}}""")).IsProblem(404);
    }

    [Fact]
    public async Task A_regions_policy_keeps_what_a_change_does_not_name()
    {
        const string body = """{"evictAfterSeconds":9,"lostAfterSeconds":30,"cooldownSeconds":0,"movesAtOnce":7}""";
        var reply = (await api.Send("PATCH", "/v1/regions/eu-1", body)).Is(200).Json!;
        Assert.Equal(
            (9, 30, 0, 7, 120),
            (reply["evictAfterSeconds"]!.GetValue<int>(), reply["lostAfterSeconds"]!.GetValue<int>(), reply["cooldownSeconds"]!.GetValue<int>(),
             reply["movesAtOnce"]!.GetValue<int>(), reply["movesPerMinute"]!.GetValue<int>()));
        var again = (await api.Send("PATCH", "/v1/regions/eu-1", """{"movesPerMinute":60}""")).Is(200).Json!;
        Assert.Equal((7, 60), (again["movesAtOnce"]!.GetValue<int>(), again["movesPerMinute"]!.GetValue<int>()));
    }

    [Theory]
    [InlineData("""{"evictAfterSeconds":0}""", "evictAfterSeconds")]
    [InlineData("""{"evictAfterSeconds":3601}""", "evictAfterSeconds")]
    [InlineData("""{"lostAfterSeconds":3}""", "lostAfterSeconds")]
    [InlineData("""{"cooldownSeconds":-1}""", "cooldownSeconds")]
    [InlineData("""{"movesAtOnce":0}""", "movesAtOnce")]
    [InlineData("""{"movesPerMinute":100001}""", "movesPerMinute")]
    [InlineData("""{"movesPerMinute":1.5}""", "movesPerMinute")]
    [InlineData("""{"evictAfter":5}""", "evictAfter")]
    [InlineData("""{"thresholds":{"admit":0.9,"evict":0.5}}""", "thresholds.evict")]
    public async Task A_wrong_policy_changes_nothing(string body, string field)
    {
        var before = api.World.Policies.GetValueOrDefault(World.Region);
        Assert.NotEmpty((await api.Send("PATCH", "/v1/regions/eu-1", body)).IsProblem(400).Errors(field));
        Assert.Equal(before, api.World.Policies.GetValueOrDefault(World.Region));
    }

    [Fact]
    public async Task A_server_is_drained_and_opened_again()
    {
        api.World.AddServer("emptied");
        var draining = (await api.Send("POST", "/v1/servers/eu-1/emptied/drain")).Is(202).Json!;
        Assert.Equal((true, true, 2), (draining["draining"]!.GetValue<bool>(), draining["cordoned"]!.GetValue<bool>(), draining["containers"]!.GetValue<int>()));
        var open = (await api.Send("PATCH", "/v1/servers/eu-1/emptied", """{"cordoned":false}""")).Is(200).Json!;
        Assert.Equal((false, false), (open["draining"]!.GetValue<bool>(), open["cordoned"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task A_vm_is_cordoned_drained_and_opened_again()
    {
        api.World.AddServer("half");
        const string path = "/v1/vms/eu-1/half/vm-1";
        Assert.True((await api.Send("PATCH", path, """{"cordoned":true}""")).Is(200).Json!["cordoned"]!.GetValue<bool>());
        Assert.True((await api.Send("POST", path + "/drain")).Is(202).Json!["draining"]!.GetValue<bool>());
        Assert.True((await api.Send("GET", path)).Is(200).Json!["draining"]!.GetValue<bool>());
        Assert.False((await api.Send("PATCH", path, """{"cordoned":false}""")).Is(200).Json!["draining"]!.GetValue<bool>());
        Assert.NotEmpty((await api.Send("PATCH", path, "{}")).IsProblem(400).Errors("cordoned"));
    }

    [Theory]
    [InlineData("POST", "/v1/servers/eu-1/nothing/drain", null)]
    [InlineData("POST", "/v1/servers/nowhere/srv-1/drain", null)]
    [InlineData("POST", "/v1/vms/eu-1/whole/vm-9/drain", null)]
    [InlineData("POST", "/v1/vms/eu-1/nothing/vm-1/drain", null)]
    [InlineData("PATCH", "/v1/vms/eu-1/whole/vm-9", """{"cordoned":true}""")]
    [InlineData("GET", "/v1/vms/eu-1/whole/vm-9", null)]
    public async Task What_does_not_exist_is_neither_drained_nor_cordoned(string method, string path, string? body)
    {
        api.World.AddServer("whole");
        (await api.Send(method, path, body)).IsProblem(404);
        Assert.False(api.World.Servers["whole"].Server.Cordoned);
        Assert.False(api.World.Servers["whole"].Vms[0].Vm.Cordoned);
    }

    [Fact]
    public async Task Explain_answers_by_region()
    {
        var body = """{"cpuMillis":100,"memoryMiB":64,"region":"eu-1","app":"shop","spread":"none","constraints":{"zone":"a"},"best":7}""";
        var reply = (await api.Send("POST", "/v1/placements/explain", body)).Is(200);
        Assert.True(JsonNode.DeepEquals(reply.Json, JsonNode.Parse("""
            [{"region":"eu-1","vms":2,"matching":1,"excluded":[{"rule":"freeCpu","count":1}],"candidates":[
              {"server":"srv-1","vm":"vm-1","freeCpuMillis":10,"freeMemoryMiB":7,"projectedCpu":0.3,"projectedMemory":0.4,"admit":0.6,"replicas":0,
               "rank":null,"excludedBy":"freeCpu","reason":"too little","replicasInVm":0}]}]
            """)), reply.Text);
        var asked = Assert.Single(api.World.Explained, request => request.App == "shop");
        Assert.Equal((new Demand(100, 64), Spread.None, "a"), (asked.Demand, asked.Spread, asked.Constraints!["zone"]));
    }

    [Theory]
    [InlineData("""{"memoryMiB":64}""", "cpuMillis")]
    [InlineData("""{"cpuMillis":0,"memoryMiB":64}""", "cpuMillis")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":3}""", "memoryMiB")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"best":101}""", "best")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"region":"nowhere"}""", "region")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"regions":["eu-1","nowhere"]}""", "regions")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"region":"eu-1","regions":["eu-1"]}""", "regions")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"app":"No"}""", "app")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"chosenRegions":[]}""", "chosenRegions")]
    [InlineData("""{"cpuMillis":-250,"memoryMiB":4}""", "cpuMillis")]
    [InlineData("""{"cpuMillis":1000001,"memoryMiB":4}""", "cpuMillis")]
    [InlineData("""{"cpuMillis":1e99,"memoryMiB":4}""", "cpuMillis")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":2147483647}""", "memoryMiB")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"count":2}""", "count")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"best":0}""", "best")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"spread":"rack"}""", "spread")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"constraints":{"zone":null}}""", "constraints.zone")]
    [InlineData("""{"cpuMillis":1,"memoryMiB":4,"constraints":{"":"a"}}""", "constraints")]
    public async Task A_wrong_demand_is_refused(string body, string field) =>
        Assert.NotEmpty((await api.Send("POST", "/v1/placements/explain", body)).IsProblem(400).Errors(field));

    [Fact]
    public async Task More_constraints_than_any_spec_may_have_are_refused()
    {
        var labels = string.Join(',', Enumerable.Range(0, 33).Select(i => $"\"label-{i}\":\"x\""));
        var body = """{"cpuMillis":1,"memoryMiB":4,"constraints":{""" + labels + "}}";
        Assert.Contains("at most 32", Assert.Single((await api.Send("POST", "/v1/placements/explain", body)).IsProblem(400).Errors("constraints")), StringComparison.Ordinal);
    }
}
