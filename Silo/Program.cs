using Hosting.Silo;

var errors = new List<string>();
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
var options = SiloOptions.Read(builder.Configuration, errors);
if (errors.Count == 0)
{
    await using var app = SiloApp.Build(builder, options);
    errors.AddRange(await app.RunSilo(options));
}
foreach (var error in errors)
    Console.Error.WriteLine(error);
return errors.Count > 0 ? 2 : 0;
