using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Hosting.Grains.Storage;
using Hosting.Placement;

namespace Hosting.Api.Tests;

/// <summary>What comes from the deployment store: containers and events.</summary>
public sealed class RecordTests(ApiHost api)
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Containers_are_found_by_app_server_and_whether_they_are_over()
    {
        await api.Pool.AddRegions(["eu-9"], Cancel);
        var epoch = (await api.Pool.RaiseEpoch("eu-9", Cancel));
        await api.Deployments.Insert("eu-9", epoch, [Record("kept-1", "srv-1"), Record("kept-2", "srv-2")], Cancel);
        await api.Deployments.End("eu-9", epoch, [new("kept-2", ContainerState.Failed, "it crashed")], Noon, Cancel);

        Assert.Equal(["kept-1"], Ids(await api.Send("GET", "/v1/containers?app=kept")));
        Assert.Equal(["kept-1", "kept-2"], Ids(await api.Send("GET", "/v1/containers?app=kept&all=true")));
        Assert.Equal(["kept-2"], Ids(await api.Send("GET", "/v1/containers?all=true&server=eu-9/srv-2")));
        Assert.Equal(["kept-1"], Ids(await api.Send("GET", "/v1/apps/kept/containers")));
        var first = (await api.Send("GET", "/v1/containers?region=eu-9")).Json![0]!;
        Assert.True(JsonNode.DeepEquals(first, JsonNode.Parse("""
            {"id":"kept-1","app":"kept","revision":3,"region":"eu-9","server":"srv-1","vm":"vm-1","state":"Placed","healthy":false,"endpoint":null,
             "reason":null,"cpuMillis":100,"memoryMiB":64,"createdAt":"2026-01-02T12:00:00+00:00","startedAt":null}
            """)), first.ToJsonString());
    }

    [Fact]
    public async Task Events_are_listed_newest_last_and_followed_from_where_a_client_broke_off()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        Happen("one", "two", "three");
        await using var all = Follow("/v1/events?app=story&follow=true", null, limit.Token).GetAsyncEnumerator(limit.Token);
        var ids = new List<string>();
        foreach (var message in new[] { "one", "two", "three" }) ids.Add(await Next(all, message));

        Happen("four");
        ids.Add(await Next(all, "four"));
        Assert.Equal(ids.OrderBy(long.Parse), ids);

        await using var resumed = Follow("/v1/apps/story/events?follow=true", ids[1], limit.Token).GetAsyncEnumerator(limit.Token);
        Assert.Equal(ids[2], await Next(resumed, "three"));
        Assert.Equal(ids[3], await Next(resumed, "four"));

        var newest = (await api.Send("GET", "/v1/events?app=story&limit=2")).Is(200).Json!.AsArray();
        Assert.Equal(["three", "four"], newest.Select(e => e!["message"]!.GetValue<string>()));
        var after = (await api.Send("GET", $"/v1/events?app=story&after={ids[0]}&limit=1")).Is(200).Json!.AsArray();
        Assert.Equal(["two"], after.Select(e => e!["message"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_last_event_id_must_be_a_number()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events?follow=true");
        request.Headers.Add("Last-Event-ID", "yesterday");
        using var response = await api.Http.SendAsync(request, Cancel);
        Assert.Equal(400, (int)response.StatusCode);
    }

    private static string[] Ids(Reply reply) =>
        [.. reply.Is(200).Json!.AsArray().Select(c => c!["id"]!.GetValue<string>()).Order(StringComparer.Ordinal)];

    private static async Task<string> Next(IAsyncEnumerator<SseItem<string>> events, string message)
    {
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(message, JsonNode.Parse(events.Current.Data)!["message"]!.GetValue<string>());
        return events.Current.EventId!;
    }

    private async IAsyncEnumerable<SseItem<string>> Follow(
        string path, string? last, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (last is not null) request.Headers.Add("Last-Event-ID", last);
        using var response = await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        Assert.Equal("text/event-stream", response.EnsureSuccessStatusCode().Content.Headers.ContentType!.MediaType);
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(cancel)) yield return item;
    }

    private void Happen(params string[] messages)
    {
        foreach (var message in messages)
            api.Events.Write(new PlatformEvent { At = Noon, App = "story", Kind = "told", Message = message });
    }

    private static ContainerRecord Record(string id, string server) => new()
    {
        Id = id, App = "kept", Revision = 3, Region = "eu-9", Server = server, Vm = "vm-1", Demand = new(100, 64),
        State = ContainerState.Placed, CreatedAt = Noon,
    };
}
