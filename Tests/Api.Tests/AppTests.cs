using System.Text.Json.Nodes;
using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Api.Tests;

public sealed class AppTests(ApiHost api)
{
    private const string Spec = """{"image":"shop:1.4","port":8080,"replicas":2}""";

    [Fact]
    public async Task An_app_is_created_changed_and_deleted()
    {
        var created = (await api.Send("PUT", "/v1/apps/life", Spec)).Is(201);
        Assert.Equal("/v1/apps/life", created.Headers["Location"]);
        Assert.Equal("created", created.Headers["Hosting-Outcome"]);
        Assert.Equal("http://life.apps.example.com:8081", created.Json!["url"]!.GetValue<string>());
        Assert.Equal("Deploying", created.Json["phase"]!.GetValue<string>());
        Assert.Equal("server", created.Json["spec"]!["spread"]!.GetValue<string>());
        Assert.Equal("asManyAsFit", created.Json["spec"]!["placement"]!.GetValue<string>());

        Assert.Equal("unchanged", (await api.Send("PUT", "/v1/apps/life", Spec)).Is(200).Headers["Hosting-Outcome"]);
        var changed = (await api.Send("PUT", "/v1/apps/life", Spec.Replace("1.4", "1.5", StringComparison.Ordinal))).Is(200);
        Assert.Equal("updated", changed.Headers["Hosting-Outcome"]);
        Assert.Equal(2, changed.Json!["revision"]!.GetValue<int>());
        Assert.True(JsonNode.DeepEquals(changed.Json, (await api.Send("GET", "/v1/apps/life")).Is(200).Json));
        Assert.Contains("life", (await api.Send("GET", "/v1/apps")).Is(200).Json!.AsArray().Select(app => app!["name"]!.GetValue<string>()));

        Assert.Equal("Deleting", (await api.Send("DELETE", "/v1/apps/life")).Is(202).Json!["phase"]!.GetValue<string>());
        (await api.Send("GET", "/v1/apps/life")).IsProblem(404);
    }

    [Fact]
    public async Task What_was_answered_can_be_sent_again()
    {
        var spec = (await api.Send("PUT", "/v1/apps/again", Spec)).Is(201).Json!["spec"]!.ToJsonString();
        Assert.Equal("unchanged", (await api.Send("PUT", "/v1/apps/again", spec)).Is(200).Headers["Hosting-Outcome"]);
    }

    [Fact]
    public async Task Every_field_arrives()
    {
        (await api.Send("PUT", "/v1/apps/full", """
            {"image":"i","command":["a"],"args":["b","c"],"port":1,"cpuMillis":2,"memoryMiB":5,"replicas":0,"regions":["eu-1"],"env":{"K":"v"},
             "hostnames":["h.example.com"],"healthCheck":{"path":"/h","intervalSeconds":3},"rollout":{"maxSurge":0,"maxUnavailable":1},
             "stopGraceSeconds":4,"spread":"none","constraints":{"zone":"a"},"placement":"allOrNothing","readOnlyRoot":true}
            """)).Is(201);
        var spec = api.World.Apps["full"].Spec;
        Assert.True(spec.ReadOnlyRoot);
        Assert.Equal((Spread.None, PlacementMode.AllOrNothing, "a"), (spec.Spread, spec.Placement, spec.Constraints!["zone"]));
        Assert.Equal(4, spec.StopGraceSeconds);
        Assert.Equal(new HealthCheck { Path = "/h", IntervalSeconds = 3 }, spec.HealthCheck);
        Assert.Equal(new RolloutSpec { MaxSurge = 0, MaxUnavailable = 1 }, spec.Rollout);
        Assert.Equal(["b", "c"], spec.Args!);
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        var reply = (await api.Send("PUT", "/v1/apps/dry?dryRun=true", Spec)).Is(200);
        Assert.Equal("created", reply.Headers["Hosting-Outcome"]);
        (await api.Send("GET", "/v1/apps/dry")).IsProblem(404);
    }

    [Fact]
    public async Task A_refused_spec_names_its_fields()
    {
        var reply = (await api.Send("PUT", "/v1/apps/bad", """{"image":"i","port":70000}""")).IsProblem(400);
        Assert.Equal(["must be 1 to 65535", "really"], reply.Errors("port"));
        Assert.False(api.World.Apps.ContainsKey("bad"));
    }

    [Fact]
    public async Task A_contradiction_is_a_conflict()
    {
        var reply = (await api.Send("PUT", "/v1/apps/second", """{"image":"i","port":1,"hostnames":["taken.example.com"]}""")).IsProblem(409);
        Assert.Equal(["belongs to the app 'other'"], reply.Errors("hostnames[0]"));
    }

    [Theory]
    [InlineData("Shop")]
    [InlineData("-shop")]
    [InlineData("shop.a")]
    [InlineData("sh%20op")]
    [InlineData("sh%2Fop")]
    [InlineData("sh%C3%B6p")]
    [InlineData("a123456789012345678901234567890123456789012345678901234567890123")]
    public async Task A_name_that_is_no_dns_label_is_refused(string name)
    {
        Assert.Contains("DNS label", Assert.Single((await api.Send("PUT", $"/v1/apps/{name}", Spec)).IsProblem(400).Errors("name")), StringComparison.Ordinal);
        (await api.Send("GET", $"/v1/apps/{name}")).IsProblem(404);
        (await api.Send("DELETE", $"/v1/apps/{name}")).IsProblem(404);
    }

    [Theory]
    [InlineData("GET", "/v1/apps/nothing")]
    [InlineData("DELETE", "/v1/apps/nothing")]
    [InlineData("GET", "/v1/apps/nothing/containers")]
    [InlineData("GET", "/v1/apps/nothing/events")]
    [InlineData("GET", "/v1/apps/nothing/events?follow=true")]
    public async Task An_unknown_app_is_not_found(string method, string path) =>
        Assert.Contains("'nothing'", (await api.Send(method, path)).IsProblem(404).Text, StringComparison.Ordinal);

    [Fact]
    public async Task Faults_of_the_software_show_no_internals()
    {
        Assert.DoesNotContain("secret", (await api.Send("PUT", "/v1/apps/faulty", Spec)).IsProblem(500).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no-silo")]
    [InlineData("no-store")]
    [InlineData("fenced")]
    public async Task Outages_ask_the_client_to_come_back(string name)
    {
        var reply = (await api.Send("PUT", $"/v1/apps/{name}", Spec)).IsProblem(503);
        Assert.Equal("2", reply.Headers["Retry-After"]);
        Assert.DoesNotContain("secret", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_platform_that_does_not_answer_is_given_up()
    {
        var reply = (await api.Send("PUT", "/v1/apps/silent", Spec)).IsProblem(503);
        Assert.Contains("repeating the request is safe", reply.Text, StringComparison.Ordinal);
        Assert.Equal("2", reply.Headers["Retry-After"]);
    }
}
