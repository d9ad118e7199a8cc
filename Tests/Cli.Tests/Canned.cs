using System.Text.Json.Nodes;

namespace Hosting.Cli.Tests;

/// <summary>Answers in the shape of the API's.</summary>
internal static class Canned
{
    public static string App(string phase = "Running", int ready = 3, int desired = 3, int revision = 1, string message = "") => new JsonObject
    {
        ["name"] = "shop",
        ["revision"] = revision,
        ["phase"] = phase,
        ["desired"] = desired,
        ["ready"] = ready,
        ["url"] = "http://shop.localhost:8080",
        ["message"] = message,
        ["spec"] = new JsonObject { ["image"] = "shop:1.4", ["port"] = 8080, ["cpuMillis"] = 250, ["memoryMiB"] = 128, ["replicas"] = desired, ["env"] = null },
    }.ToJsonString();

    public static string Problem(int status, string title, string detail, string? errors = null) =>
        $$"""{"type":"about:blank","title":"{{title}}","status":{{status}},"detail":"{{detail}}"{{(errors is null ? "" : $",\"errors\":{errors}")}}}""";

    public static string Containers { get; } = """
        [{"id":"shop-a1","app":"shop","revision":2,"region":"eu-1","server":"srv-1","vm":"vm-1","state":"Running","healthy":true,
          "endpoint":"10.0.0.2:32768","reason":null,"cpuMillis":250,"memoryMiB":128,"createdAt":"2026-01-02T11:57:00Z","startedAt":"2026-01-02T11:57:01Z"},
         {"id":"shop-b2","app":"shop","revision":2,"region":"eu-1","server":"srv-2","vm":"vm-1","state":"Starting","healthy":false,
          "endpoint":null,"reason":"no image\u001b[31m shop:1.4","cpuMillis":250,"memoryMiB":128,"createdAt":"2026-01-02T11:59:48Z","startedAt":null}]
        """;

    public static string Servers { get; } = """
        [{"id":"eu-1/srv-1","online":true,"cordoned":false,"admitting":true,"notAdmittingReason":null,"cpuMillis":8000,"memoryMiB":16384,
          "utilization":{"cpu":0.314,"memory":0.5,"primaryCpu":0.2},"thresholds":{"admit":0.6,"evict":0.8},"vms":[{"id":"eu-1/srv-1/vm-1"}],"labels":{"zone":"a","disk":"ssd"}},
         {"id":"eu-1/srv-2","online":false,"cordoned":false,"admitting":false,"notAdmittingReason":"its agent is not connected","cpuMillis":8000,"memoryMiB":16384,
          "utilization":null,"thresholds":{"admit":0.6,"evict":0.8},"vms":[],"labels":{}},
         {"id":"eu-1/srv-3","online":true,"cordoned":false,"admitting":true,"cpuMillis":8000,"memoryMiB":16384,"capMillis":300}]
        """;
}
